import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "mongodb";
import { MessageFramer } from "../wire/message-framer.js";
import type { Face } from "./face.ts";
import type { Fault, FaultBook, Struck } from "./faults/faults.ts";
import { WireReply } from "./reply.ts";
import { WireRequest } from "./request.ts";
import type { Traffic } from "./traffic.ts";

/** What all connections of one proxy share. */
export interface Shared {
  readonly face: Face;
  readonly faults: FaultBook;
  readonly traffic: Traffic;
  /** Called with every command that arrived as a whole. */
  onCommand(name: string): void;
  /** Drops every connection. */
  dropAll(): void;
}

/** One client's connection and its connection to the engine. Commands are handled one after the other, as servers do. */
export class WireConnection {
  readonly #client: Socket;
  readonly #engine: Socket;
  readonly #shared: Shared;
  readonly #replies: AsyncGenerator<Buffer, undefined>;
  readonly #gone = new AbortController();
  /** Nothing is answered any more. */
  #hangs = false;

  constructor(client: Socket, engine: Socket, shared: Shared) {
    this.#client = client;
    this.#engine = engine;
    this.#shared = shared;
    this.#replies = messages(engine);
    for (const socket of [client, engine]) {
      socket.on("error", () => this.drop());
      socket.on("close", () => this.drop());
    }
  }

  /** Serves until one side is gone. A fault of a connection is its own: it is dropped. */
  async serve(): Promise<void> {
    try {
      await this.#serve();
    } catch (error) {
      if (!this.#gone.signal.aborted) console.error("wire proxy: a connection is dropped:", error);
    } finally {
      this.drop();
    }
  }

  drop(): void {
    this.#gone.abort();
    this.#client.destroy();
    this.#engine.destroy();
  }

  async #serve(): Promise<void> {
    const { traffic, dropAll } = this.#shared;
    const framer = new MessageFramer();
    for await (const chunk of this.#client as AsyncIterable<Buffer>) {
      await traffic.carry("to engine", chunk.length, this.#gone.signal);
      const { passed, cut } = traffic.pass("to engine", chunk.length);
      for (const message of framer.push(chunk.subarray(0, passed))) {
        if (this.#hangs) continue;
        const request = new WireRequest(message);
        this.#shared.onCommand(request.name);
        if (cut) await this.#forward(request);
        else await this.#handle(request);
      }
      if (cut) dropAll();
    }
  }

  async #handle(request: WireRequest): Promise<void> {
    const { face, faults, traffic } = this.#shared;
    const fault: Partial<Struck> = faults.next(request) ?? {};
    const wait = traffic.delay + (fault.delayMs ?? 0);
    if (wait > 0) await sleep(wait, undefined, { signal: this.#gone.signal });
    if (this.#ends(fault, "before")) return;
    const reply = await this.#answer(request, fault);
    if (this.#ends(fault, "after") || reply === undefined) return;
    if (fault.garbage !== undefined) return await this.#send([Buffer.from(fault.garbage)]);
    if (fault.adds !== undefined) reply.set(fault.adds);
    face.stamp(reply);
    await this.#send(reply.pieces());
  }

  #ends({ drop, hang, onApplied }: Partial<Struck>, when: "before" | "after"): boolean {
    if (when === "after" && (drop === when || hang === when)) onApplied?.();
    if (drop === when) this.drop();
    if (hang === when) this.#hangs = true;
    return drop === when || hang === when;
  }

  /** Undefined: the client wants none. */
  async #answer(request: WireRequest, { error }: Fault): Promise<WireReply | undefined> {
    const { face } = this.#shared;
    const session = face.session(request);
    const own = error === undefined ? await this.#forward(request) : { ok: 0, ...error };
    if (request.unanswered) return undefined;
    if (own !== undefined) return WireReply.to(request, own);
    const { value, done } = await this.#replies.next();
    if (done === true) throw new Error("the engine is gone");
    const reply = new WireReply(value);
    face.dress(request, session, reply);
    return reply;
  }

  /** Gives the command to the engine, or returns the answer of the proxy itself. */
  async #forward(request: WireRequest): Promise<Document | undefined> {
    const { face } = this.#shared;
    const own = face.answer(request);
    if (own === undefined) await write(this.#engine, request.without(face.strips));
    return own;
  }

  async #send(pieces: readonly Buffer[]): Promise<void> {
    const { traffic, dropAll } = this.#shared;
    for (const part of parts(pieces, traffic.slice)) {
      const length = part.reduce((sum, piece) => sum + piece.length, 0);
      await traffic.carry("to client", length, this.#gone.signal);
      const { passed, cut } = traffic.pass("to client", length);
      await write(this.#client, cut ? [Buffer.concat(part).subarray(0, passed)] : part);
      if (!cut) continue;
      dropAll();
      return;
    }
  }
}

/** What to write in one go. */
function parts(pieces: readonly Buffer[], slice: number): (readonly Buffer[])[] {
  if (slice === Number.POSITIVE_INFINITY) return [pieces];
  const whole = Buffer.concat(pieces);
  const count = Math.ceil(whole.length / slice);
  return Array.from({ length: count }, (_, n) => [whole.subarray(n * slice, (n + 1) * slice)]);
}

/** Resolves when the system has taken all pieces. */
function write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const last = pieces.length - 1;
    socket.cork();
    for (const [n, piece] of pieces.entries()) {
      socket.write(piece, n < last ? undefined : (error) => (error ? reject(error) : resolve()));
    }
    socket.uncork();
  });
}

async function* messages(socket: Socket): AsyncGenerator<Buffer, undefined> {
  const framer = new MessageFramer();
  for await (const chunk of socket as AsyncIterable<Buffer>) yield* framer.push(chunk);
}
