import type { IncomingMessage } from "node:http";
import type { Answer } from "../http/delivery.ts";
import { failure } from "./answers.ts";

/** The name of a command and its arguments, as bytes. */
export type RestCommand = readonly Buffer[];

export interface Call {
  readonly kind: "command" | "pipeline" | "transaction";
  readonly commands: readonly RestCommand[];
}

/** Thrown for what is not carried out at all. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(status: number, error: string) {
    super(error);
    this.answer = failure(status, error);
  }
}

const METHODS = ["HEAD", "GET", "POST", "PUT"];
const BATCHES: Readonly<Record<string, Call["kind"]>> = {
  "/pipeline": "pipeline",
  "/multi-exec": "transaction",
};

/** What a request asks for. The wording of what is said to malformed ones is not Upstash's. */
export function readCall({ method = "GET", url = "/" }: IncomingMessage, body: Buffer): Call {
  if (!METHODS.includes(method)) throw new Refused(405, "Method Not Allowed");
  const path = pathOf(url);
  const batch = BATCHES[path];
  if (batch !== undefined) return { kind: batch, commands: commandsOf(parsed(body)) };
  const command = path === "/" ? commandOf(parsed(body)) : commandOfPath(url, body);
  return { kind: "command", commands: [command] };
}

export function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "/";
}

export function parametersOf(url: string): URLSearchParams {
  return new URLSearchParams(url.split(/\?(.*)/s)[1]);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused(400, "ERR failed to parse the request body");
  }
}

function commandsOf(value: unknown): RestCommand[] {
  if (!Array.isArray(value) || value.length === 0) throw new Refused(400, "ERR not a list of commands");
  return value.map(commandOf);
}

function commandOf(value: unknown): RestCommand {
  if (!Array.isArray(value) || value.length === 0) throw new Refused(400, "ERR not a command");
  return value.map((argument: unknown) => {
    if (!["string", "number", "boolean"].includes(typeof argument))
      throw new Refused(400, "ERR an argument is neither text nor a number");
    return Buffer.from(String(argument));
  });
}

/** `/set/key/value`, or `/set/key?EX=100` with the value as the body: parameters come after it. */
function commandOfPath(url: string, body: Buffer): RestCommand {
  const segments = pathOf(url).slice(1).split("/").map(unescaped);
  const parameters = [...parametersOf(url)].filter(([name]) => name !== "_token");
  const options = parameters.flatMap(([name, value]) => (value === "" ? [name] : [name, value]));
  return [...segments, ...(body.length === 0 ? [] : [body]), ...options.map((text) => Buffer.from(text))];
}

/** Escapes may stand for bytes that are no text. */
function unescaped(segment: string): Buffer {
  const latin = segment.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin, "latin1");
}
