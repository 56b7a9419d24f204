import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { Host } from "../../src/cli.ts";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the working directory, which is new and empty otherwise. */
  readonly files?: Readonly<Record<string, string>>;
  /** The file to run as a process of its own. `BIN` is the one that is installed. */
  readonly bin?: string;
  /** The working directory, and left in place; where a run shall find what an earlier one remembers. */
  readonly cwd?: string;
  /** Called with the process, which is the run's own, as soon as it is there. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** The program as it is installed. */
export const BIN = resolve("bin/dualsync.js");

/**
 * Runs the program, in an empty folder by default and an environment without any of its variables. It is the built one,
 * and mostly in the process of the tests: to start another takes longer than most runs. A process of its own is for what
 * is about one: `bin` or `onStart` is given, or a variable that Node itself heeds. With DUALSYNC_TEST_PROCESSES, as in
 * `npm run test:long`, every run has one.
 */
export async function dualsync(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), "dualsync-cli-"));
  try {
    for (const [name, content] of Object.entries(options.files ?? {}))
      writeFileSync(join(cwd, name), content);
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, ...options.env };
    return await (needsProcess(options) ? asProcess(args, cwd, env, options) : inTests(args, cwd, env));
  } finally {
    if (options.cwd === undefined) rmSync(cwd, { recursive: true, force: true });
  }
}

function needsProcess({ bin, onStart, env = {} }: CliOptions): boolean {
  if (bin !== undefined || onStart !== undefined) return true;
  if ((process.env.DUALSYNC_TEST_PROCESSES ?? "") !== "") return true;
  return Object.keys(env).some((name) => name.startsWith("NODE_") || name === "TZ");
}

type Environment = Readonly<Record<string, string>>;

async function asProcess(
  args: readonly string[],
  cwd: string,
  env: Environment,
  { bin = BIN, onStart }: CliOptions,
): Promise<CliResult> {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  onStart?.(child);
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
}

async function inTests(args: readonly string[], cwd: string, env: Environment): Promise<CliResult> {
  const { run } = (await import(
    pathToFileURL(resolve("dist/cli.js")).href
  )) as typeof import("../../src/cli.ts");
  const [stdout, stderr] = [new Pipe(), new Pipe()];
  const host: Host = {
    ...{ env, stdout, stderr, stdin: Readable.from([]), cwd: () => cwd },
    ...{ on: () => undefined, off: () => undefined },
    exit() {
      throw new Error("only a second signal ends the process at once");
    },
  };
  const code = await run(args, host);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Somebody who reads all that comes. */
class Pipe extends Writable {
  text = "";

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Uint8Array, _encoding: string, done: () => void): void {
    this.text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    done();
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
