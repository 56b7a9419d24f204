import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const STDERR_KEPT = 64 * 1024;
const STOP_DEADLINE_MS = 15_000;

/** A program to start. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** A child process that is ready. It must end by itself when its standard input does: so it never outlives this process. */
export interface ServiceProcess {
  /** The first line of its standard output, read as JSON. */
  readonly ready: unknown;
  /** The end of what it wrote to standard error so far. */
  stderr(): string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Asks it to end and waits until it has; no answer in 15 s: kills it. Harmless when it has ended. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** A server that takes connections at `uri`. */
export interface StartedServer extends Pick<ServiceProcess, "stop" | "kill"> {
  readonly uri: string;
  readonly port: number;
}

/** Starts a child and waits for its first line. Throws, with its standard error, when it ends or is silent for too long. */
export async function startProcess(
  name: string,
  { command, args }: Command,
  timeoutMs = 60_000,
): Promise<ServiceProcess> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  child.stdin.on("error", () => {}); // It ended before its input did.
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(signal);
    const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(impatience);
  };
  try {
    const ready = await firstLine(child, timeoutMs);
    return { ready, ended, stderr: () => stderr, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
  } catch (error) {
    await end("SIGKILL");
    const said = stderr.trim() === "" ? "It wrote nothing to standard error." : `It wrote:\n${stderr}`;
    throw new Error(`${name} did not start: ${(error as Error).message}. ${said}`, { cause: error });
  }
}

async function firstLine(child: ChildProcess, timeoutMs: number): Promise<unknown> {
  const { stdout } = child;
  if (stdout === null) throw new Error("it has no standard output");
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`it was not ready within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    child.once("error", reject);
    // "close" comes after the last of its output, so the error can show it.
    child.once("close", (code, signal) => reject(new Error(`it ended with ${signal ?? `status ${code}`}`)));
    createInterface(stdout).on("line", (line) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(line));
      } catch {
        reject(new Error(`its first line is not JSON: ${line}`));
      }
    });
    child.once("close", () => clearTimeout(timer));
  });
}
