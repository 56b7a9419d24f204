import { Binary, BSONRegExp, BSONSymbol, Double, Int32, Long, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../src/bson/elements.ts";
import { RawValue } from "../../src/bson/leaf.ts";
import { equalOrdered, toOrdered } from "../../src/bson/ordered.ts";
import * as bson from "./bson-bytes.ts";
import { acceptedId, anyId } from "./id-arbitraries.ts";

const SEED = 20_260_104;
const notUtf8 = Buffer.of(0x61, 0xff);

/** True when the tree is written as the very bytes it was read from; false when the package refuses to write it. */
function writtenBack(bytes: Buffer): boolean {
  const tree = toOrdered(bytes);
  let written: Uint8Array;
  try {
    written = serialize(tree);
  } catch {
    return false;
  }
  expect(Buffer.from(written).toString("hex")).toBe(bytes.toString("hex"));
  return true;
}

describe("toOrdered", () => {
  it("keeps the stored field order and every BSON type", () => {
    const document = toOrdered(
      bson.documentBytes([
        ["b", bson.int32(1)],
        ["2", bson.int64(2n)],
        ["1", bson.double(3)],
        ["inner", bson.object([["9", bson.text(TYPE.string, "x")]])],
        ["list", bson.array([bson.boolean(true), bson.bare(TYPE.null)])],
        ["id", { type: TYPE.objectId, bytes: Buffer.alloc(12, 1) }],
        ["data", bson.binary(0, Buffer.of(1))],
        ["pattern", bson.regex("a", "i")],
        ["name", bson.text(TYPE.symbol, "s")],
      ]),
    );
    expect([...document]).toEqual([
      ["b", new Int32(1)],
      ["2", Long.fromInt(2)],
      ["1", new Double(3)],
      ["inner", new Map([["9", "x"]])],
      ["list", [true, null]],
      ["id", new ObjectId("01".repeat(12))],
      ["data", new Binary(Buffer.of(1), 0)],
      ["pattern", new BSONRegExp("a", "i")],
      ["name", new BSONSymbol("s")],
    ]);
  });

  it("returns a tree that shares no memory with the bytes it was read from", () => {
    const bytes = bson.documentBytes([
      ["data", bson.binary(0, Buffer.of(1, 2))],
      ["broken", bson.text(TYPE.string, notUtf8)],
    ]);
    const tree = toOrdered(bytes);
    const before = toOrdered(Buffer.from(bytes));
    bytes.fill(0);
    expect(equalOrdered(tree, before)).toBe(true);
  });

  it("returns trees that serialize to the original bytes or not at all", () => {
    let written = 0;
    const documents = fc.array(anyId, { maxLength: 4 }).map((values) => {
      return bson.documentBytes(values.map((value, index) => [`f${index}`, value]));
    });
    fc.assert(
      fc.property(documents, (bytes) => {
        if (writtenBack(bytes)) written++;
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(2000);
  });

  it.each([
    ["text that is not UTF-8", bson.text(TYPE.string, notUtf8)],
    ["code that is not UTF-8", bson.text(TYPE.code, notUtf8)],
    ["a date beyond JavaScript's", bson.eightBytes(TYPE.date, 8_640_000_000_000_001n)],
    ["undefined", bson.bare(TYPE.undefined)],
    ["a pointer", bson.dbPointer("a.b", Buffer.alloc(12))],
    ["a boolean of 2", { type: TYPE.boolean, bytes: Buffer.of(2) }],
    ["flags out of order", bson.regex("a", "xi")],
    ["an array with other names", { type: TYPE.array, bytes: bson.documentBytes([["7", bson.int32(1)]]) }],
  ])("keeps %s as raw bytes that serialize() refuses to write", (_, value) => {
    const tree = toOrdered(bson.documentBytes([["a", value]]));
    expect(tree.get("a")).toEqual(new RawValue(value.type, value.bytes));
    expect(() => serialize(tree)).toThrow("written unchanged");
  });

  it("keeps fields whose names are repeated or not UTF-8", () => {
    const repeated = toOrdered(
      bson.documentBytes([
        ["a", bson.int32(1)],
        ["a", bson.int32(2)],
        ["a", bson.int32(3)],
      ]),
    );
    expect([...repeated.keys()]).toEqual(["a", "a\0", "a\0\0"]);
    expect(() => serialize(repeated)).toThrow("null bytes");
    const odd = toOrdered(bson.documentBytes([[notUtf8, bson.int32(1)]]));
    expect([...odd.keys()]).toEqual(["a\ufffd\x0061ff"]);
    expect(() => serialize(odd)).toThrow("null bytes");
    expect([...toOrdered(bson.documentBytes([["a\ufffd", bson.int32(1)]])).keys()]).toEqual(["a\ufffd"]);
  });

  it("throws RangeError for bytes that are not BSON", () => {
    expect(() => toOrdered(bson.documentBytes([["a", bson.int32(1)]]).subarray(0, -2))).toThrow(RangeError);
    expect(() => toOrdered(new Uint8Array())).toThrow(RangeError);
  });
});

describe("equalOrdered", () => {
  it("returns true exactly for documents with the same bytes", () => {
    let equal = 0;
    const document = fc.array(acceptedId, { maxLength: 2, size: "max" }).map((values) => {
      return bson.documentBytes(values.map((value, index) => [`f${index}`, value]));
    });
    fc.assert(
      fc.property(document, document, (a, b) => {
        if (a.equals(b)) equal++;
        expect(equalOrdered(toOrdered(a), toOrdered(a))).toBe(true);
        expect(equalOrdered(toOrdered(a), toOrdered(b))).toBe(a.equals(b));
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(equal).toBeGreaterThan(10);
  });

  it("distinguishes trees that differ in order or in missing fields or elements", () => {
    const both = new Map([
      ["a", 1],
      ["b", 1],
    ]);
    const trees = [both, new Map([...both].reverse()), new Map([["a", 1]]), [1, 2], [2, 1], [1], []];
    for (const a of trees) {
      for (const b of trees) expect(equalOrdered(a, b)).toBe(a === b);
    }
  });

  it("distinguishes values that look the same once decoded", () => {
    const trees = [
      bson.text(TYPE.string, Buffer.of(0xff)),
      bson.text(TYPE.string, Buffer.of(0xfe)),
      bson.text(TYPE.string, "\ufffd"),
      bson.text(TYPE.symbol, "\ufffd"),
      bson.text(TYPE.symbol, Buffer.of(0xff)),
      bson.double(0),
      bson.double(-0),
      bson.int32(0),
      bson.int64(0n),
      bson.bare(TYPE.null),
      bson.bare(TYPE.undefined),
      bson.array([]),
      bson.object([]),
      bson.eightBytes(TYPE.date, 2n ** 62n),
      bson.eightBytes(TYPE.date, 2n ** 61n),
    ].map((value) => toOrdered(bson.documentBytes([["v", value]])));
    for (const [i, a] of trees.entries()) {
      for (const [j, b] of trees.entries()) expect(equalOrdered(a, b), `${i} and ${j}`).toBe(i === j);
    }
  });
});
