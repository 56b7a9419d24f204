import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** What a finished process has used. */
export interface Usage {
  readonly seconds: number;
  /** User and system time, in seconds. */
  readonly cpu: number;
  /** Peak resident memory, in bytes. */
  readonly memory: number;
}

/** Runs a script in a Node process of its own and measures it; in this folder, or in `cwd`. Throws when it fails. */
export async function measured(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<Usage & { readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), "dualsync-bench-"));
  const file = join(folder, "usage.json");
  try {
    const measure = pathToFileURL(resolve("bench/measure.js")).href;
    const used = { ...env, BENCH_USAGE: file };
    const { output } = await finished(["--import", measure, script, ...args], used, cwd);
    return { ...(JSON.parse(readFileSync(file, "utf8")) as Usage), output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs Node to its end. Throws on any exit status but 0. */
export async function finished(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<{ readonly seconds: number; readonly output: string }> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(String(chunk)));
  const status = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}:\n${output.join("")}`);
  return { seconds: (performance.now() - started) / 1e3, output: output.join("") };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
