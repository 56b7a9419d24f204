import { TYPE } from "../../../src/bson/elements.ts";
import * as bson from "../../bson/bson-bytes.ts";

const zeros = bson.eightBytes(TYPE.timestamp, 0n);
const one = bson.int32(1);
const two = bson.int32(2);
const value = (type: number, ...bytes: number[]): bson.BsonValue => ({ type, bytes: Buffer.from(bytes) });

/** Documents that a careless carrier alters, and that every server stores as they are. */
export const STORABLE: Record<string, (readonly [string | Buffer, bson.BsonValue])[]> = {
  "number-like names out of order": [
    ["2", one],
    ["1", two],
  ],
  "names of JavaScript's own": [
    ["_bsontype", bson.text(TYPE.string, "ObjectId")],
    ["__proto__", one],
    ["constructor", two],
    ["toBSON", one],
  ],
  "a name that looks like an operator": [["$set", bson.object([["a", one]])]],
  "operators further down": [
    [
      "a",
      bson.object([
        ["$inc", one],
        ["$where", two],
      ]),
    ],
  ],
  "dotted and empty names": [
    ["a.b", one],
    ["", two],
  ],
  "a date beyond JavaScript's": [["d", bson.eightBytes(TYPE.date, 9223372036854775807n)]],
  "an empty timestamp": [["t", zeros]],
  "an empty timestamp further down": [["a", bson.object([["t", zeros]])]],
  "a NaN with a payload": [["n", value(TYPE.double, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f)]],
  "minus zero and a whole double": [
    ["z", bson.double(-0)],
    ["w", bson.double(1)],
    ["l", bson.int64(1n)],
  ],
  "old types": [
    ["u", value(TYPE.undefined)],
    ["s", bson.text(TYPE.symbol, "s")],
    ["c", bson.text(TYPE.code, "f()")],
    ["p", bson.dbPointer("a.b", Buffer.alloc(12, 1))],
    ["w", bson.codeWithScope("f()", bson.object([["x", one]]))],
  ],
  "ends of the order": [
    ["a", value(TYPE.minKey)],
    ["b", value(TYPE.maxKey)],
  ],
  "binaries of every kind": [
    ["o", bson.binary(2, Buffer.from("abc"))],
    ["u", bson.binary(4, Buffer.alloc(16, 7))],
    ["x", bson.binary(0x80, Buffer.from("z"))],
  ],
  "a reference with its fields the other way round": [
    [
      "r",
      bson.object([
        ["$id", one],
        ["$ref", bson.text(TYPE.string, "c")],
      ]),
    ],
  ],
  "a NUL in a string": [["s", bson.text(TYPE.string, "a\0b")]],
  "a decimal with its zeros": [["d", bson.decimal(100n, -2)]],
};

/** Documents that this target alters or cannot take: they must be named, and must not be there altered. */
export const NOT_STORABLE: Record<string, (readonly [string | Buffer, bson.BsonValue])[]> = {
  "one name twice": [
    ["a", one],
    ["a", two],
  ],
  "one name twice further down": [
    [
      "s",
      bson.object([
        ["a", one],
        ["a", two],
      ]),
    ],
  ],
  "array keys out of order": [
    [
      "s",
      {
        type: TYPE.array,
        bytes: bson.object([
          ["5", one],
          ["x", two],
        ]).bytes,
      },
    ],
  ],
  "flags out of order": [["r", bson.regex("a", "xi")]],
  "a string that is not UTF-8": [["s", bson.text(TYPE.string, Buffer.from([0xff, 0xfe, 0x41]))]],
  "a name that is not UTF-8": [[Buffer.from([0xff, 0xfe]), one]],
  "a boolean that is neither": [["b", value(TYPE.boolean, 2)]],
};

/** The documents of such cases, by the `_id` that each has. */
export function hardDocuments(cases: typeof STORABLE): Map<string, Buffer> {
  return new Map(
    Object.entries(cases).map(([name, fields]) => [
      name,
      bson.object([["_id", bson.text(TYPE.string, name)], ...fields]).bytes,
    ]),
  );
}
