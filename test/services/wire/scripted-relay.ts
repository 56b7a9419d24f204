import { connect, createServer, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";
import { listening } from "../listening.ts";
import { MessageFramer } from "./message-framer.js";

const OP_MSG = 2013;

/** What becomes of one command: an answer of the test's own, a connection that breaks before or after the server did it. */
export type Fate = { readonly answer: Document } | "break" | "lose the answer" | "say nothing" | undefined;

export interface ScriptedRelay {
  readonly uri: string;
  /** Asked for each command; undefined lets it pass. Commands of the driver's own are `hello` and `endSessions`. */
  script: (command: Document) => Fate;
  stop(): Promise<void>;
}

/** Stands between a client and a server of this machine and meddles with single commands. */
export async function startScriptedRelay(port: number): Promise<ScriptedRelay> {
  const sockets = new Set<Socket>();
  const relay = { script: (_: Document): Fate => undefined };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) sockets.add(socket);
    const end = (): void => {
      for (const socket of [client, upstream]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, upstream]) socket.on("close", end).on("error", end);
    let losing = false;
    upstream.on("data", (chunk) => (losing ? end() : client.write(chunk)));
    const framer = new MessageFramer();
    client.on("data", (chunk) => {
      for (const message of framer.push(chunk)) {
        const fate = message.readInt32LE(12) === OP_MSG ? relay.script(commandOf(message)) : undefined;
        if (fate === "break") return end();
        if (fate === "lose the answer") losing = true;
        if (typeof fate === "object") client.write(answerTo(message, fate.answer));
        else if (fate !== "say nothing") upstream.write(message);
      }
    });
  });
  const own = await listening(server);
  return Object.assign(relay, {
    uri: `mongodb://127.0.0.1:${own}/?directConnection=true`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  });
}

function commandOf(message: Buffer): Document {
  return BSON.deserialize(message.subarray(21, 21 + message.readInt32LE(21)));
}

function answerTo(message: Buffer, answer: Document): Buffer {
  const body = BSON.serialize(answer);
  const head = Buffer.alloc(21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
