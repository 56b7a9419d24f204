import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Ends the demo between two of its steps. */
export const stop = new AbortController();

/** What the program leaves in its working directory is gone with the demo. */
const folder = mkdtempSync(join(tmpdir(), "dualsync-demo-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Runs the program as a person would, on this terminal. @returns its exit status */
export async function dualsync(env: Record<string, string>, ...args: string[]): Promise<number> {
  console.log(`$ npx dualsync ${args.join(" ")}\n`);
  const child = spawn(process.execPath, [resolve("bin/dualsync.js"), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  const forward = (): void => void child.kill("SIGINT");
  stop.signal.addEventListener("abort", forward, { once: true });
  const status = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code ?? 1));
  });
  stop.signal.removeEventListener("abort", forward);
  return stop.signal.aborted ? 130 : status;
}

/** The id of the last run that can be undone, as the run itself has printed it. */
export function lastRun(): string {
  const state = join(folder, ".dualsync");
  const age = (name: string): number => statSync(join(state, name)).mtimeMs;
  const journals = readdirSync(state).filter((name) => name.endsWith(".journal"));
  const [last = ""] = journals.sort((a, b) => age(b) - age(a));
  return last.replace(/^undo-|\.journal$/g, "");
}

export function say(sentence: string): void {
  console.log(`\n── ${sentence}\n`);
}
