/**
 * Holds what a server sends to the bounds of the protocol. The driver believes the length in front of each answer: one
 * of 2 GB makes it collect for as long as bytes come, and one of 0 makes it turn round for ever. It also unpacks
 * compressed answers that nobody asked for. This looks at the headers first. Like `wire.ts` it uses an internal of the
 * driver, and does nothing where that looks different.
 */
import { createRequire } from "node:module";
import { MongoParseError } from "mongodb";

const HEADER_BYTES = 16;
/** Servers send at most 48,000,000. */
const LARGEST = 64 * 1024 * 1024;
const COMPRESSED = 2012;

type MessageDone = (error?: Error | null) => void;
type Transform = (this: Stream, chunk: Uint8Array, encoding: unknown, done: MessageDone) => void;

interface Stream {
  readonly connection?: {
    readonly description?: { readonly compressor?: unknown };
    /** Hello, TLS and authentication are done. */
    readonly established?: boolean;
    readonly socket?: { destroy(error: Error): void };
  };
}

/** Milliseconds. Longer than the first greeting is waited for: this only clears away what that has given up. */
const HANDSHAKE_DEADLINE = 27_000;

let bounded = false;

/** From now on every connection of this process breaks at an answer that no MongoDB server gives. */
export function boundMessages(): void {
  if (bounded) return;
  bounded = true;
  const internals: unknown = createRequire(import.meta.url)("mongodb/lib/cmap/connection");
  const transform = (
    internals as { SizedMessageTransform?: { prototype?: { _transform?: Transform } } } | undefined
  )?.SizedMessageTransform?.prototype;
  const original = transform?._transform;
  if (transform === undefined || typeof original !== "function") return;
  const framings = new WeakMap<object, Framing>();
  transform._transform = function (chunk, encoding, done) {
    let framing = framings.get(this);
    if (framing === undefined) {
      framing = new Framing();
      framings.set(this, framing);
      boundHandshake(this);
    }
    const fault = framing.check(chunk, this.connection?.description?.compressor !== undefined);
    if (fault === undefined) original.call(this, chunk, encoding, done);
    else done(new MongoParseError(fault));
  };
}

/** The driver waits for ever for the answers of an authentication, and such a connection keeps the process alive. */
function boundHandshake({ connection }: Stream): void {
  const end = (): void => {
    if (connection?.established === false)
      connection.socket?.destroy(new MongoParseError("The handshake does not end"));
  };
  setTimeout(end, HANDSHAKE_DEADLINE).unref();
}

/** Follows one connection's stream from header to header. */
export class Framing {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #have = 0;
  /** Bytes of the present message's body that are still to come. */
  #left = 0;

  /** What is wrong with the stream so far; undefined while nothing is. Every chunk must pass here, in order. */
  check(chunk: Uint8Array, mayCompress: boolean): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - this.#have, chunk.length - at);
      this.#header.set(chunk.subarray(at, at + taken), this.#have);
      this.#have += taken;
      at += taken;
      if (this.#have < 4) continue;
      const length = this.#header.readInt32LE(0);
      if (length < HEADER_BYTES || length > LARGEST) return `Message size is impossible: ${length}`;
      if (this.#have < HEADER_BYTES) continue;
      if (this.#header.readInt32LE(12) === COMPRESSED && !mayCompress)
        return "Message size is unknown: compressed unasked";
      this.#have = 0;
      this.#left = length - HEADER_BYTES;
    }
    return undefined;
  }
}
