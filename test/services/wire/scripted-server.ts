import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { Document } from "bson";
import { MessageFramer } from "./message-framer.js";
import { type Request, readRequest, reply } from "./wire-message.ts";

/**
 * What to do with a command: answer with a document, or with the bytes of what should be one; send bytes as they are
 * (`raw`) in place of a message; close the connection; never answer; or, when undefined, let it take its usual way.
 */
export type Answer = Document | Uint8Array | { readonly raw: Uint8Array } | "close" | "hang" | undefined;

export interface Script {
  /** Decides on each command. */
  readonly answer?: (request: Request) => Answer;
  /** What a server sends, or does, before anybody has asked. */
  readonly greet?: (socket: Socket) => void;
  /** Speaks TLS with these. */
  readonly tls?: TlsOptions;
  /** Port of a real server that gets every command which the script leaves alone; otherwise they find nothing there. */
  readonly behind?: number;
}

export interface ScriptedServer {
  readonly port: number;
  /** Address without a database. */
  readonly uri: string;
  /** Names of the commands that came, in order. */
  readonly commands: readonly string[];
  stop(): Promise<void>;
}

/** A server on loopback that answers MongoDB's wire protocol from a script, in this process. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    script.greet?.(socket);
    converse(socket, script, commands).catch(() => socket.destroy());
  };
  const server: Server =
    script.tls === undefined ? createServer(onSocket) : createTlsServer(script.tls, onSocket);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const stop = async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port, uri: `mongodb://127.0.0.1:${port}/?directConnection=true`, commands, stop };
}

async function converse(socket: Socket, script: Script, commands: string[]): Promise<void> {
  const framer = new MessageFramer();
  const real = script.behind === undefined ? undefined : connect(script.behind, "127.0.0.1");
  real?.on("error", () => socket.destroy());
  real?.pipe(socket);
  socket.on("close", () => real?.destroy());
  for await (const chunk of socket) {
    for (const message of framer.push(chunk as Buffer)) {
      const request = readRequest(message);
      commands.push(request.name);
      const answer = script.answer?.(request) ?? (real === undefined ? usualAnswer(request) : undefined);
      if (answer === undefined) real?.write(message);
      else if (answer === "close") socket.destroy();
      else if (answer !== "hang") socket.write(bytesOf(answer, request));
    }
  }
}

function bytesOf(answer: Exclude<Answer, string | undefined>, request: Request): Uint8Array {
  if (!(answer instanceof Uint8Array) && answer.raw instanceof Uint8Array) return answer.raw;
  return reply(request, answer);
}

export const HELLO: Document = {
  helloOk: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 25,
  ok: 1,
};

export function isHello({ name }: Request): boolean {
  return ["hello", "ismaster", "isMaster"].includes(name);
}

/** The answers of a server on which there is nothing. */
function usualAnswer(request: Request): Document {
  if (isHello(request)) return HELLO;
  if (/^(find|listCollections|listIndexes|aggregate)$/.test(request.name))
    return { cursor: { id: 0n, ns: "shop.$cmd", firstBatch: [] }, ok: 1 };
  return { ok: 1, n: 0 };
}
