/** `mongodump` and `mongorestore`, which are measured where they are on the PATH. */
import { spawnSync } from "node:child_process";
import type { Usage } from "./run.ts";

/** What is known of a finished run: of other programs only how long it took. */
export type Timed = Pick<Usage, "seconds"> & Partial<Usage>;

export function hasPrograms(): boolean {
  return ["mongodump", "mongorestore"].every((name) => spawnSync(name, ["--version"]).status === 0);
}

/** Runs one of them to its end. Throws when it fails. */
export function program(name: string, args: readonly string[]): Timed {
  const started = performance.now();
  const { status, stderr } = spawnSync(name, [...args, "--quiet"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
  return { seconds: (performance.now() - started) / 1e3 };
}
