import { BSON, type Document } from "mongodb";
import { describe, expect, test } from "vitest";
import { elements } from "../wire/bson-walk.js";
import { unwrapRawDocuments } from "./raw-documents.js";
import { rawDocument } from "./raw-source.ts";

/** A document with the name `a` twice, the second time with a text that is not UTF-8. */
function strangeBytes(id: unknown): Uint8Array {
  const bytes = Buffer.from(BSON.serialize({ _id: id, a: "xx", b: "yy" }));
  bytes.write("a", bytes.indexOf("b\0\x03\0\0\0yy"), "latin1");
  bytes[bytes.indexOf("yy")] = 0xff;
  return bytes;
}

function reply(batchName: string, batch: readonly Document[]): Buffer {
  const cursor = { [batchName]: batch, id: BSON.Long.ZERO, ns: "shop.orders" };
  return Buffer.from(BSON.serialize({ cursor, ok: 1 }));
}

/** The reply's documents, each as its bytes. */
function documents(bytes: Buffer, batchName: string): Uint8Array[] {
  const { cursor, ok } = BSON.deserialize(bytes, { fieldsAsRaw: { [batchName]: true } });
  expect(ok).toBe(1);
  return cursor[batchName];
}

describe("replies with wrapped documents", () => {
  test.each(["firstBatch", "nextBatch"])(
    "replaces wrapped documents in %s with their bytes, and keeps all others",
    (name) => {
      const ordinary = { _id: 1, note: "as it is" };
      const strange = strangeBytes(7);
      const unwrapped = unwrapRawDocuments(
        reply(name, [ordinary, rawDocument(strange), ordinary, rawDocument(strange)]),
      );
      const plain = Buffer.from(BSON.serialize(ordinary));
      expect(documents(unwrapped, name).map((bytes) => Buffer.from(bytes))).toEqual([
        plain,
        Buffer.from(strange),
        plain,
        Buffer.from(strange),
      ]);
    },
  );

  test("corrects the lengths of the reply, the cursor and the batch", () => {
    const strange = strangeBytes(7);
    const unwrapped = unwrapRawDocuments(reply("firstBatch", [rawDocument(strange)]));
    const direct = reply("firstBatch", [{ placeholder: 0 }]);
    const inner = BSON.serialize({ placeholder: 0 });
    const at = direct.indexOf(inner);
    expect(unwrapped.length).toBe(direct.length + strange.length - inner.length);
    expect(unwrapped.readInt32LE(0)).toBe(unwrapped.length);
    expect(unwrapped.subarray(at, at + strange.length)).toEqual(Buffer.from(strange));
    for (const name of ["cursor", "firstBatch"]) {
      const length = direct.indexOf(`${name}\0`) + name.length + 1;
      expect(unwrapped.readInt32LE(length)).toBe(direct.readInt32LE(length) + strange.length - inner.length);
    }
  });

  test("unwraps documents with an _id of every type", () => {
    const ids = [
      1.5,
      "one",
      { sku: "a", nested: [1] },
      new BSON.Binary(Buffer.from("id"), 4),
      new BSON.ObjectId(),
      true,
      new Date(0),
      null,
      new BSON.BSONRegExp("^a", "i"),
      new BSON.Code("f()"),
      new BSON.Code("f()", { x: 1 }),
      new BSON.BSONSymbol("s"),
      new BSON.Int32(1),
      new BSON.Timestamp({ t: 1, i: 2 }),
      BSON.Long.fromNumber(1),
      BSON.Decimal128.fromString("1"),
      new BSON.MinKey(),
      new BSON.MaxKey(),
    ];
    const strange = ids.map(strangeBytes);
    const unwrapped = unwrapRawDocuments(
      reply(
        "firstBatch",
        strange.map((bytes) => rawDocument(bytes)),
      ),
    );
    expect(documents(unwrapped, "firstBatch").map((bytes) => Buffer.from(bytes))).toEqual(
      strange.map((bytes) => Buffer.from(bytes)),
    );
  });

  test.each<[string, Document]>([
    ["more fields than the wrapper", { _id: 1, $$raw: new BSON.Binary(Buffer.alloc(5)), more: 1 }],
    ["a $$raw that is not binary", { _id: 1, $$raw: "text" }],
    ["the wrapper inside a document", { _id: 1, inner: { _id: 1, $$raw: new BSON.Binary(Buffer.alloc(5)) } }],
    ["no _id", { $$raw: new BSON.Binary(Buffer.alloc(5)) }],
  ])("leaves a reply unchanged when a document has %s", (_, document) => {
    const before = reply("firstBatch", [document]);
    expect(unwrapRawDocuments(before)).toBe(before);
  });

  test("leaves a reply without a cursor unchanged", () => {
    const before = Buffer.from(BSON.serialize({ n: 1, ok: 1 }));
    expect(unwrapRawDocuments(before)).toBe(before);
  });
});

test("elements() skips values that the driver no longer writes", () => {
  const undefinedValue = Buffer.from("\x06u\0", "latin1");
  const dbPointer = Buffer.from("\x0cp\0\x02\0\0\0c\0abcdefghijkl", "latin1");
  const last = Buffer.from("\x10n\0\x01\0\0\0", "latin1");
  const bytes = Buffer.concat([Buffer.alloc(4), undefinedValue, dbPointer, last, Buffer.alloc(1)]);
  bytes.writeInt32LE(bytes.length, 0);
  expect([...elements(bytes, 0)].map(({ name }) => name)).toEqual(["u", "p", "n"]);
});

test.each([
  ["a name does not end", "\x0a\0\0\0\x10nn\x01\x01\x01"],
  ["a value runs past the document", "\x0c\0\0\0\x02n\0\x7f\0\0\0\0"],
  ["a value ends before it starts", "\x0c\0\0\0\x02n\0\xf9\xff\xff\xff\0"],
  ["a type is unknown", "\x0c\0\0\0\x20n\0\0\0\0\0\0"],
])("elements() rejects bytes in which %s", (_, bytes) => {
  expect(() => [...elements(Buffer.from(bytes, "latin1"), 0)]).toThrow(RangeError);
});

describe("rawDocument", () => {
  test("repeats the _id with its own type", () => {
    const double = rawDocument(BSON.serialize({ x: 1, _id: new BSON.Double(3) }));
    expect(double._id).toEqual(new BSON.Double(3));
  });

  test("rejects bytes without an _id", () => {
    expect(() => rawDocument(BSON.serialize({ x: 1 }))).toThrow(/needs an _id/);
  });

  test("rejects an _id that the driver would change", () => {
    const bytes = Buffer.from(BSON.serialize({ _id: "xx" }));
    bytes[bytes.indexOf("xx")] = 0xff;
    expect(() => rawDocument(bytes)).toThrow();
    expect(rawDocument(bytes, "given")._id).toBe("given");
  });
});
