import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Framing } from "../../src/connectors/mongodb/framing.ts";
import { mongodb } from "../../src/connectors/mongodb/mongodb.ts";
import { isHello, startScripted } from "../services/scripted-server.ts";
import { never } from "../support/signal.ts";

const OP_MSG = 2013;
const OP_COMPRESSED = 2012;

/** A header that announces `length` bytes, and as many as there are of them up to a bound. */
function message(length: number, kind = OP_MSG): Buffer {
  const bytes = Buffer.alloc(Math.min(Math.max(16, length), 300), 7);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(kind, 12);
  return bytes;
}

/** What is wrong with the messages, handed over in chunks of these lengths. */
function faultOf(messages: readonly Buffer[], chunks: readonly number[], mayCompress = false) {
  const stream = Buffer.concat(messages);
  const framing = new Framing();
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const length = chunks[turn % chunks.length] ?? 1;
    const fault = framing.check(stream.subarray(at, at + length), mayCompress);
    if (fault !== undefined) return fault;
    at += length;
  }
  return undefined;
}

const messages = fc.array(fc.integer({ min: 16, max: 300 }), { maxLength: 8 });
const chunks = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

describe("the frames of what a server sends", () => {
  it("are let through, however they are cut", () => {
    fc.assert(
      fc.property(messages, chunks, fc.boolean(), (lengths, cuts, compressed) => {
        const sent = lengths.map((length) => message(length, compressed ? OP_COMPRESSED : OP_MSG));
        expect(faultOf(sent, cuts, compressed)).toBeUndefined();
      }),
    );
  });

  it("are refused at the first that no server sends, however they are cut", () => {
    const bad = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 15 }).map((length) => message(length)),
      fc.integer({ min: 64 * 1024 * 1024 + 1, max: 2 ** 31 - 1 }).map((length) => message(length)),
      fc.constant(message(100, OP_COMPRESSED)),
    );
    fc.assert(
      fc.property(messages, bad, messages, chunks, (before, odd, after, cuts) => {
        const sent = [
          ...before.map((length) => message(length)),
          odd,
          ...after.map((length) => message(length)),
        ];
        expect(faultOf(sent, cuts)).toMatch(/^Message size is/);
      }),
    );
  });
});

it.each([
  ["2 GB", 2 ** 31 - 1, OP_MSG],
  ["compressed unasked", 100, OP_COMPRESSED],
  ["no byte at all", 0, OP_MSG],
])("a connection breaks at once at an answer of %s", { timeout: 10_000 }, async (_, length, kind) => {
  const raw = message(length, kind);
  const server = await startScripted({ answer: (request) => (isHello(request) ? undefined : { raw }) });
  const options = { uri: server.uri, database: "d", role: "source", label: "test", retries: 0 } as const;
  const store = await mongodb(options, never);
  await expect(store.count("orders", {}, never)).rejects.toMatchObject({ exit: "source" });
  await store.close();
  await server.stop();
});
