import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { expect } from "vitest";
import type { StoreRole } from "../../src/connectors/connector.ts";
import type { Failure } from "../../src/connectors/failure.ts";
import { FAILURES, type MongodbFailure } from "../../src/connectors/mongodb/failures/failures.ts";
import { mongodb } from "../../src/connectors/mongodb/mongodb.ts";
import { DualsyncError } from "../../src/model/errors.ts";
import { type Answer, HELLO, isHello, type Script, startScripted } from "../services/wire/scripted-server.ts";
import type { Request } from "../services/wire/wire-message.ts";
import { never } from "./signal.ts";
import { testRun } from "./stores/claimed.ts";

/** Names that a test has really provoked; at the end none may be missing. */
export const provoked = new Set<MongodbFailure>();
export const TLS = "test/fixtures/tls";
export const TRUSTED = `tls=true&tlsCAFile=${TLS}/ca.pem`;

/** A short wait, so that many of them make no long one. */
const SOON = "serverSelectionTimeoutMS=1000";

/** Opens the store, lists it, and returns what that fails with, checked against the table. */
export async function failureOf(
  name: MongodbFailure,
  uri: string,
  role: StoreRole = "source",
  label = labelOf(uri),
) {
  const started = performance.now();
  const error = await use(uri, role, label).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - started).toBeLessThan(30_000);
  if (!(error instanceof DualsyncError)) throw new Error(`nothing failed, or not as it should: ${error}`);
  const row: Failure = FAILURES[name];
  expect(error.hint, error.message).toBe(row.hint);
  expect(error.message).toMatch(sentence(row.says));
  expect(error.message).toContain(`${role} ${label}`);
  expect(error.exit).toBe(row.exit === "role" ? role : row.exit);
  provoked.add(name);
  return error;
}

async function use(uri: string, role: StoreRole, label: string): Promise<void> {
  const soon = `${uri}${uri.includes("?") ? "&" : "?"}${SOON}`;
  const store = await mongodb({ uri: soon, database: "shop", role, label, retries: 0 }, never);
  try {
    await store.list(never);
    if (role === "target") await store.claim(testRun("1"), never);
  } finally {
    await store.close();
  }
}

export function labelOf(uri: string): string {
  return `${/\/\/(?:[^@]*@)?([^/]+)/.exec(uri)?.[1]}/shop`;
}

export function sentence(says: string): RegExp {
  const literal = says.replace(/[\\^$.*+?()[\]|]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\{\w+\}/g, "[^]*")}$`);
}

export function pem(name: string) {
  const both = readFileSync(`${TLS}/${name}.pem`);
  return { key: both, cert: both };
}

/** A scripted server for one test; `options` come after the question mark. */
export async function against(
  name: MongodbFailure,
  script: Script,
  { options = "", user = "", role = "source" as StoreRole, label = undefined as string | undefined } = {},
) {
  const server = await startScripted(script);
  try {
    const uri = `${server.uri.replace("://", `://${user}`)}${options === "" ? "" : `&${options}`}`;
    return await failureOf(name, uri, role, label);
  } finally {
    await server.stop();
  }
}

/** A server that is no MongoDB at all. */
export async function againstRaw(name: MongodbFailure, onSocket: (socket: Socket) => void, options = "") {
  const server = createServer((socket) => onSocket(socket.on("error", () => undefined)));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  await failureOf(name, `mongodb://127.0.0.1:${port}/?directConnection=true${options}`);
  server.close();
}

export function answerTo(command: RegExp, answer: Answer): Script {
  return { answer: (request: Request) => (command.test(request.name) ? answer : undefined) };
}

export function refusal(code: number, errmsg: string, codeName = "Some"): Answer {
  return { ok: 0, code, errmsg, codeName };
}

export function helloWith(fields: object): Script {
  return { answer: (request) => (isHello(request) ? { ...HELLO, ...fields } : undefined) };
}
