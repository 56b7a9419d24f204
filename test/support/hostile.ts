import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "bson";
import { beforeAll, expect } from "vitest";
import { type Answer, startScripted } from "../services/wire/scripted-server.ts";
import type { Request } from "../services/wire/wire-message.ts";

/** Bytes of resident memory that a run may have, whatever a server does. */
export const MOST_MEMORY = 400_000_000;

export interface Outcome {
  readonly code: number | null;
  readonly said: string;
  readonly seconds: number;
  readonly memory: number;
}

/** How long a run may take, and the process to end after the last one. */
const DEADLINE_MS = 50_000;

/** One process for the runs of a file, as to start one takes longer than most of them. A run that breaks it ends it. */
export interface HostedRuns {
  /** Copies from, or to, a server that answers like this; `other` is the address of the other side. */
  against(
    other: string,
    role: "source" | "target",
    answer: (request: Request) => Answer,
    ...flags: readonly string[]
  ): Promise<Outcome>;
}

/** Call at the top of a test file. Fails it when the process does not end by itself after all runs. */
export function hostedRuns(): HostedRuns {
  let host: ChildProcess | undefined;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dualsync-hostile-"));
    return async () => {
      rmSync(folder, { recursive: true });
      if (host === undefined) return;
      const ended = once(host, "exit");
      const impatience = setTimeout(() => host?.kill("SIGKILL"), DEADLINE_MS);
      host.disconnect();
      expect(await ended).toEqual([0, null]);
      clearTimeout(impatience);
    };
  });
  return {
    async against(other, role, answer, ...flags) {
      host ??= await startHost();
      const server = await startScripted({ answer });
      const hostile = `mongodb://127.0.0.1:${server.port}/shop?directConnection=true&serverSelectionTimeoutMS=2000`;
      const stores = { LIVE: role === "source" ? hostile : other, COPY: role === "source" ? other : hostile };
      const env = { ...stores, SYNC_MAX_RETRIES: "0" };
      const args = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
      try {
        const outcome = await runIn(host, { args, env, cwd: mkdtempSync(join(folder, "run-")) });
        if (outcome.code === null) host = undefined;
        return outcome;
      } finally {
        await server.stop();
      }
    },
  };
}

async function startHost(): Promise<ChildProcess> {
  const { PATH = "", HOME = "" } = process.env;
  const host = fork("test/support/hosted-runs.js", { env: { PATH, HOME }, stdio: "pipe", execArgv: [] });
  await once(host, "message");
  return host;
}

/** What came of the run; its status is null when the process did not survive it. */
async function runIn(host: ChildProcess, work: object): Promise<Outcome> {
  const started = performance.now();
  let said = "";
  const listen = (text: Buffer): void => {
    said += text.toString();
  };
  for (const output of [host.stdout, host.stderr]) output?.on("data", listen);
  const impatience = setTimeout(() => host.kill("SIGKILL"), DEADLINE_MS);
  const waiting = new AbortController();
  const answered = once(host, "message", waiting).then(([outcome]) => outcome as Omit<Outcome, "seconds">);
  const closed = once(host, "close", waiting).then(() => undefined);
  host.send(work);
  const outcome = await Promise.race([answered, closed]);
  waiting.abort();
  for (const one of [answered, closed]) one.catch(() => undefined);
  clearTimeout(impatience);
  for (const output of [host.stdout, host.stderr]) output?.off("data", listen);
  const seconds = (performance.now() - started) / 1_000;
  if (outcome === undefined) return { code: null, said, seconds, memory: 0 };
  return { ...outcome, said: outcome.said + said, seconds };
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
