import { afterAll, beforeEach } from "vitest";
import {
  openProject,
  type Project,
  type ProjectOptions,
} from "../../../src/connectors/supabase/api/project.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { type Said, type ScriptedHttp, startScriptedHttp } from "../../services/http/scripted-http.ts";

/** Tries again at once. */
export const quick = { retries: 4, patience: 0, firstWait: 1, longestWait: 2 };

export const KEY = "sb_secret_canary-key";

/** Whatever is read, and whatever is written. */
export const ALL = { select: [{ column: "id" }], limit: 10 };
export const BATCH = { text: "[{}]", columns: ["id"], onConflict: ["id"] };

export function openScripted(server: ScriptedHttp, more: Partial<ProjectOptions> = {}): Promise<Project> {
  const { url } = server;
  return openProject({ url, key: KEY, label: "127.0.0.1", role: "source", policy: quick, ...more });
}

/** A server with scripted answers, and a project at it, for the tests of one file. Await it at the top of the file. */
export async function scriptedProject(): Promise<{
  readonly server: ScriptedHttp;
  readonly project: Project;
}> {
  const server = await startScriptedHttp();
  beforeEach(() => {
    server.heard.length = 0;
  });
  afterAll(() => server.stop());
  return { server, project: await openScripted(server) };
}

/** Answers in turn; the last one again and again. */
export function inTurn(server: ScriptedHttp, ...said: Said[]): void {
  server.heard.length = 0;
  server.script = (_, number) => said[Math.min(number, said.length - 1)] ?? "reset";
}

/** What the work fails with, as people see it. */
export async function failureOf(work: Promise<unknown>): Promise<DualsyncError> {
  const error: unknown = await work.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DualsyncError)) throw error;
  return error;
}
