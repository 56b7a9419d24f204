import { expect, test, vi } from "vitest";
import { MAX_MESSAGE_BYTES, MessageFramer } from "./message-framer.js";

function message(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(length, fill);
  bytes.writeInt32LE(length, 0);
  return bytes;
}

test("the framer returns whole messages in order, however the stream was split", () => {
  const messages = [message(16, 1), message(100, 2), message(17, 3), message(16, 4)];
  const stream = Buffer.concat(messages);
  for (let size = 1; size <= stream.length; size++) {
    const framer = new MessageFramer();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const bytes of framer.push(stream.subarray(at, at + size))) found.push(Buffer.from(bytes));
    }
    expect(found).toEqual(messages);
  }
});

test.each([0, 15, -1, MAX_MESSAGE_BYTES + 1])("the framer rejects a message length of %i", (length) => {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(length, 0);
  expect(() => [...new MessageFramer().push(bytes)]).toThrow(RangeError);
});

test("the framer joins the largest message once, not at each chunk", () => {
  const stream = message(MAX_MESSAGE_BYTES, 0);
  const joins = vi.spyOn(Buffer, "concat");
  const framer = new MessageFramer();
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 65_536)
    found.push(...framer.push(stream.subarray(at, at + 65_536)));
  expect(joins).toHaveBeenCalledTimes(1);
  joins.mockRestore();
  expect(found.map((bytes) => bytes.length)).toEqual([MAX_MESSAGE_BYTES]);
});
