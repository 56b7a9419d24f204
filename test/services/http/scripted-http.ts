import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { listening } from "../listening.ts";

/** A request as it came. */
export interface Heard {
  readonly method: string;
  /** Path and query, as sent. */
  readonly address: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An ordinary answer; 200 and nothing without these. */
export interface Spoken {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * `reset`: the connection breaks without an answer. `hang`: no answer. `raw`: these bytes and the end of the connection.
 * `stall`: headers and the beginning of a body, then nothing. `drip`: an empty list that comes byte by byte, one each so
 * many milliseconds; `bytes` of them, or without end.
 */
export type Said =
  | Spoken
  | { readonly raw: string | Uint8Array }
  | { readonly stall: string }
  | { readonly drip: number; readonly bytes?: number }
  | "reset"
  | "hang";

export interface ScriptedHttp {
  readonly url: string;
  /** Requests in order. */
  readonly heard: Heard[];
  /** How many connections were made. */
  connections: number;
  /** Decides on each request; `number` counts them from 0. */
  script: (heard: Heard, number: number) => Said;
  stop(): Promise<void>;
}

/** A web server on loopback that answers from a script, in this process. */
export async function startScriptedHttp(): Promise<ScriptedHttp> {
  const sockets = new Set<Socket>();
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    hear(request).then(
      (one) => {
        heard.push(one);
        say(response, service.script(one, heard.length - 1));
      },
      () => request.socket.destroy(),
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    service.connections++;
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  const port = await listening(server);
  const service: ScriptedHttp = {
    url: `http://127.0.0.1:${port}`,
    heard,
    connections: 0,
    script: () => ({ status: 500 }),
    stop: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return service;
}

async function hear(request: IncomingMessage): Promise<Heard> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const address = request.url ?? "/";
  const { pathname, searchParams } = new URL(address, "http://host");
  return {
    method: request.method ?? "",
    address,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    body: Buffer.concat(pieces).toString(),
  };
}

function say(response: ServerResponse, said: Said): void {
  const { socket } = response;
  if (said === "hang") return;
  if (said === "reset") socket?.resetAndDestroy();
  else if ("raw" in said) socket?.end(said.raw);
  else if ("stall" in said) begin(response).write(said.stall);
  else if ("drip" in said) {
    begin(response).write("[");
    let left = said.bytes ?? Number.POSITIVE_INFINITY;
    const timer = setInterval(() => (--left > 0 ? response.write(" ") : response.end("]")), said.drip);
    response.on("close", () => clearInterval(timer));
  } else {
    const { status = 200, headers = {}, body = "" } = said;
    response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
  }
}

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
}

/** Rows as PostgREST answers with them; `text` is the JSON text of an array. */
export function rowsOf(text: string, headers: Readonly<Record<string, string>> = {}): Spoken {
  return { headers: { "content-type": "application/json; charset=utf-8", ...headers }, body: text };
}

/** A refusal as PostgREST words it. The texts hold what must never be shown. */
export function refusalOf(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Spoken {
  const body = JSON.stringify({
    code,
    details: "Key (email)=(canary@example.com) already exists.",
    hint: "canary hint",
    message: "canary message",
  });
  const proxy = `PostgREST; error=${code}`;
  return { status, headers: { "content-type": "application/json", "proxy-status": proxy, ...headers }, body };
}
