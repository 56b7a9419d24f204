import { type ChildProcess, spawn } from "node:child_process";
import { KEY } from "./state-folder.ts";

export interface Fault {
  /** Which call fails, from 1. */
  readonly at: number;
  /** An error's code, or KILL. */
  readonly how: string;
  readonly when: "before" | "half" | "after";
}

export interface Work {
  readonly cwd: string;
  readonly act: "read" | "write" | "check" | "remove" | "loop" | "whole" | "journal";
  readonly content?: unknown;
  readonly fault?: Fault;
}

export interface Outcome {
  readonly calls: readonly string[];
  readonly error?: {
    readonly name: string;
    readonly exit: string;
    readonly message: string;
    readonly hint: string;
  };
}

/** Starts a process of its own that works on the state files of one `cwd` after the other. */
export function startChild(...all: readonly Work[]): ChildProcess {
  const args = ["test/state/state-child.js", JSON.stringify(all.map((work) => ({ key: KEY, ...work })))];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** What came of the work; undefined when the process was killed. */
export async function inChild(work: Work): Promise<Outcome | undefined> {
  const [outcome] = await inOneChild([work]);
  return outcome;
}

/** What came of each piece of work that one process does; of those after which it was killed there is none. */
export async function inOneChild(all: readonly Work[]): Promise<readonly Outcome[]> {
  const child = startChild(...all);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((done, fail) => {
    child.once("error", fail);
    child.once("close", (...end) => done(end));
  });
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`The child ended with ${code ?? signal}.`);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Outcome);
}
