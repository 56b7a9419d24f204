import { expect, it } from "vitest";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import { isHello, startScripted } from "../../../services/wire/scripted-server.ts";
import { never } from "../../../support/signal.ts";

const OP_MSG = 2013;
const OP_COMPRESSED = 2012;

/** A header that announces `length` bytes, and as many as there are of them up to a bound. */
function message(length: number, kind: number): Buffer {
  const bytes = Buffer.alloc(Math.min(Math.max(16, length), 300), 7);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(kind, 12);
  return bytes;
}

it.each([
  ["2 GB long", 2 ** 31 - 1, OP_MSG],
  ["compressed without agreement", 100, OP_COMPRESSED],
  ["zero bytes long", 0, OP_MSG],
])("fails at once when a reply is %s", { timeout: 10_000 }, async (_, length, kind) => {
  const raw = message(length, kind);
  const server = await startScripted({ answer: (request) => (isHello(request) ? undefined : { raw }) });
  const options = { uri: server.uri, database: "d", role: "source", label: "test", retries: 0 } as const;
  const store = await mongodb(options, never);
  await expect(store.count("orders", {}, never)).rejects.toMatchObject({ exit: "source" });
  await store.close();
  await server.stop();
});
