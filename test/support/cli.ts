import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the working directory, which is new and empty otherwise. */
  readonly files?: Readonly<Record<string, string>>;
  /** What to start. Default: the program in one file, which starts sooner (see program.ts). */
  readonly bin?: string;
  /** The working directory, and left in place; where a run shall find what an earlier one remembers. */
  readonly cwd?: string;
  /** Called with the process as soon as it runs. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** The program as it is installed. */
export const BIN = resolve("bin/dualsync.js");

/** Runs the program as a process of its own, in an empty folder by default and an environment without any of its variables. */
export async function dualsync(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), "dualsync-cli-"));
  try {
    for (const [name, content] of Object.entries(options.files ?? {}))
      writeFileSync(join(cwd, name), content);
    const { PATH = "", HOME = "", DUALSYNC_TEST_PROGRAM = BIN } = process.env;
    const child = spawn(process.execPath, [options.bin ?? DUALSYNC_TEST_PROGRAM, ...args], {
      cwd,
      env: { PATH, HOME, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    options.onStart?.(child);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const code = await new Promise<number | null>((done, fail) => {
      child.once("error", fail);
      child.once("close", done);
    });
    return { code, stdout, stderr };
  } finally {
    if (options.cwd === undefined) rmSync(cwd, { recursive: true, force: true });
  }
}

/** The records of `--json` output. Throws on a line that is not one. */
export function records(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The result of one collection in `--json` output. */
export function collectionRecord(stdout: string, collection: string): Record<string, unknown> | undefined {
  return records(stdout).find((record) => record.type === "collection" && record.collection === collection);
}

export function summary(stdout: string): Record<string, unknown> | undefined {
  return records(stdout).at(-1);
}
