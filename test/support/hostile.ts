import { readFileSync } from "node:fs";
import type { Document } from "bson";
import { expect } from "vitest";
import { type Answer, startScripted } from "../services/wire/scripted-server.ts";
import type { Request } from "../services/wire/wire-message.ts";
import { BIN, dualsync } from "./cli.ts";

/** Bytes of resident memory that a run may have, whatever a server does. */
export const MOST_MEMORY = 400_000_000;

export interface Outcome {
  readonly code: number | null;
  readonly said: string;
  readonly seconds: number;
  readonly memory: number;
}

/** Copies from, or to, a server that answers like this; `other` is the address of the other side. */
export async function runAgainst(
  other: string,
  role: "source" | "target",
  answer: (request: Request) => Answer,
  ...flags: readonly string[]
): Promise<Outcome> {
  const server = await startScripted({ answer });
  const hostile = `mongodb://127.0.0.1:${server.port}/shop?directConnection=true&serverSelectionTimeoutMS=2000`;
  const env = { LIVE: role === "source" ? hostile : other, COPY: role === "source" ? other : hostile };
  const started = performance.now();
  let memory = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    const { code, stdout, stderr } = await dualsync(
      ["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags],
      {
        bin: BIN,
        env: { ...env, SYNC_MAX_RETRIES: "0" },
        onStart: (child) => {
          timer = setInterval(() => {
            memory = Math.max(memory, residentOf(child.pid));
          }, 20);
          setTimeout(() => child.kill("SIGKILL"), 50_000).unref();
        },
      },
    );
    return { code, said: stdout + stderr, seconds: (performance.now() - started) / 1_000, memory };
  } finally {
    clearInterval(timer);
    await server.stop();
  }
}

/** Peak of a process's memory, where the system shows it. */
function residentOf(pid: number | undefined): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return Number(found?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** One clear sentence, the status of that side, nothing that a terminal obeys, no stack, no flood. */
export function expectCleanEnd({ code, said, seconds, memory }: Outcome, expected: number): void {
  expect(said).toMatch(/^error: The source|^error: .*(source|target) 127\.0\.0\.1/m);
  expect(said).not.toMatch(/^\s+at /m);
  expect(said.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect(said.length).toBeLessThan(20_000);
  expect(code, said).toBe(expected);
  expect(seconds).toBeLessThan(45);
  expect(memory).toBeLessThan(MOST_MEMORY);
}

export function on(command: RegExp, answer: Answer | ((request: Request) => Answer)) {
  return (request: Request): Answer =>
    command.test(request.name) ? (typeof answer === "function" ? answer(request) : answer) : undefined;
}

export function cursor(batch: readonly Document[], id: unknown = 0n, field = "firstBatch"): Document {
  return { cursor: { id, ns: "shop.$cmd.listCollections", [field]: batch }, ok: 1 };
}

/** A collection as a listing holds it. */
export function entry(name: unknown): Document {
  return { name, type: "collection", options: {} };
}
