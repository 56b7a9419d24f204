import { TYPE } from "../../../src/bson/elements.ts";
import type { BsonValue } from "../../bson/bson-bytes.ts";
import * as bson from "../../bson/bson-bytes.ts";

/** Two values that some way of comparing holds equal, with the names of their types. */
export type LookAlike = readonly [what: string, BsonValue, string, BsonValue, string, note?: string];

const NAN = 0x7ff8n << 48n;
const id = Buffer.alloc(12, 0xab);
const objectId = { type: TYPE.objectId, bytes: id };
const OTHER_BYTES = "same number, different stored bytes";

function string(text: string | Buffer): BsonValue {
  return bson.text(TYPE.string, text);
}

function doubleBits(bits: bigint): BsonValue {
  return bson.eightBytes(TYPE.double, bits);
}

export const LOOK_ALIKES: readonly LookAlike[] = [
  ["int and long", bson.int32(1), "int", bson.int64(1n), "long"],
  ["int and double", bson.int32(1), "int", bson.double(1), "double"],
  ["int and decimal", bson.int32(1), "int", bson.decimal(1n, 0), "decimal"],
  ["long and double", bson.int64(5_000_000_000n), "long", bson.double(5e9), "double"],
  ["double and decimal", bson.double(0.1), "double", bson.decimal(1n, -1), "decimal"],
  ["two doubles", bson.double(2.2), "double", bson.double(2.9), "double"],
  ["large doubles", bson.double(1e300), "double", bson.double(2e300), "double"],
  ["infinity", bson.double(Infinity), "double", bson.double(Number.MAX_VALUE), "double"],
  ["NaN and 0", bson.double(NaN), "double", bson.double(0), "double"],
  ["decimal scale", bson.decimal(10n, -1), "decimal", bson.decimal(100n, -2), "decimal", OTHER_BYTES],
  ["decimal exponent", bson.decimal(1n, 3), "decimal", bson.decimal(1000n, 0), "decimal", OTHER_BYTES],
  ["zeros", bson.double(-0), "double", bson.double(0), "double", OTHER_BYTES],
  ["decimal zeros", bson.decimal(0n, 0, true), "decimal", bson.decimal(0n, 0), "decimal", OTHER_BYTES],
  ["string and symbol", string("s"), "string", bson.text(TYPE.symbol, "s"), "symbol"],
  ["NaNs", bson.double(NaN), "double", bson.decimalBits(0x7cn << 120n), "decimal"],
  ["NaN payloads", doubleBits(NAN), "double", doubleBits(NAN + 1n), "double", OTHER_BYTES],
  ["an ObjectId and its hex", objectId, "objectId", string(id.toString("hex")), "string"],
  ["string and code", string("s"), "string", bson.text(TYPE.code, "s"), "javascript"],
  ["beyond 2^53", bson.int64(2n ** 53n), "long", bson.int64(2n ** 53n + 1n), "long"],
  ["a millisecond", bson.eightBytes(TYPE.date, 1n), "date", bson.eightBytes(TYPE.date, 2n), "date"],
  ["date and timestamp", bson.eightBytes(9, 1n), "date", bson.eightBytes(17, 1n), "timestamp"],
  ["date and long", bson.eightBytes(TYPE.date, 1n), "date", bson.int64(1n), "long"],
  ["array and object", bson.array([string("x")]), "array", bson.object([["0", string("x")]]), "object"],
  ["empty ones", bson.array([]), "array", bson.object([]), "object"],
  ["empty string and null", string(""), "string", bson.bare(TYPE.null), "null"],
  ["false and 0", bson.boolean(false), "bool", bson.int32(0), "int"],
  ["undefined and null", bson.bare(TYPE.undefined), "undefined", bson.bare(TYPE.null), "null"],
  ["the ends", bson.bare(TYPE.minKey), "minKey", bson.bare(TYPE.maxKey), "maxKey"],
  ["pointers", bson.dbPointer("a.b", id), "dbPointer", bson.dbPointer("a.b", Buffer.alloc(12)), "dbPointer"],
  ["subtypes", bson.binary(0, id), "binData", bson.binary(5, id), "binData", "binary subtype"],
  ["binary lengths", bson.binary(0, id), "binData", bson.binary(0, id.subarray(1)), "binData"],
  ["regular expressions", bson.regex("a", "i"), "regex", bson.regex("a", "im"), "regex"],
  ["NUL in a string", string("a\0b"), "string", string("a"), "string"],
  ["Unicode forms", string("\u00e9"), "string", string("e\u0301"), "string"],
  ["not UTF-8", string(Buffer.of(0xff)), "string", string(Buffer.of(0xfe)), "string"],
  ["bytes of true", bson.boolean(true), "bool", { type: 8, bytes: Buffer.of(2) }, "bool", "stored bytes"],
  [
    "scopes",
    bson.codeWithScope("f", bson.object([["a", bson.int32(1)]])),
    "javascriptWithScope",
    bson.codeWithScope("f", bson.object([["a", bson.int64(1n)]])),
    "javascriptWithScope",
  ],
];
