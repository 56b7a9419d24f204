import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";
import { MessageFramer } from "../wire/message-framer.js";

/** A command as a wire message, its documents in a sequence of their own; those given as bytes are sent as they are. */
export function commandMessage(
  command: Document,
  documents: readonly (Document | Uint8Array)[] = [],
): Buffer {
  const head = Buffer.alloc(21); // length, id, answered id, OP_MSG, no flags, section of kind 0
  head.writeInt32LE(1, 4);
  head.writeInt32LE(2013, 12);
  const parts = [head, BSON.serialize({ ...command, $db: command.$db ?? "shop" })];
  if (documents.length > 0) {
    const sequence = Buffer.concat([
      Buffer.from("documents\0"),
      ...documents.map((one) => (one instanceof Uint8Array ? one : BSON.serialize(one))),
    ]);
    const kind1 = Buffer.alloc(5, 1);
    kind1.writeInt32LE(4 + sequence.length, 1);
    parts.push(kind1, sequence);
  }
  const message = Buffer.concat(parts);
  message.writeInt32LE(message.length, 0);
  return message;
}

/** One connection that says what it is told to and nothing else: no hello, no sessions, no second try. */
export class RawClient {
  /** Everything that came so far. */
  received = Buffer.alloc(0);
  readonly #socket: Socket;
  readonly #closed: Promise<unknown>;
  readonly #replies: Buffer[] = [];
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const framer = new MessageFramer();
    this.#closed = new Promise((resolve) => {
      socket.on("close", resolve);
    });
    socket.on("error", () => undefined); // the close that follows tells enough
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      try {
        this.#replies.push(...framer.push(chunk));
      } catch {
        // garbage: it is in `received`
      }
      this.#wake();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Runs a command. Throws when the connection is closed before the answer. */
  async run(command: Document, documents: readonly (Document | Uint8Array)[] = []): Promise<Document> {
    this.send(commandMessage(command, documents));
    const arrived = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#replies.length > 0) resolve();
      };
    });
    await Promise.race([arrived, this.#closed]);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error("closed without an answer");
    return BSON.deserialize(reply.subarray(21), { promoteLongs: false });
  }

  /** Resolves when the other side has closed the connection. */
  async closed(): Promise<void> {
    await this.#closed;
  }

  /** Resolves when this many bytes have come. */
  async bytes(count: number): Promise<Buffer> {
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.received.length >= count) resolve();
      };
      this.#wake();
    });
    return this.received;
  }

  close(): void {
    this.#socket.destroy();
  }
}
