import fc from "fast-check";
import { TYPE } from "../../src/bson/elements.ts";
import type { BsonValue } from "./bson-bytes.ts";
import * as bson from "./bson-bytes.ts";
import { anyNumber } from "./number-arbitraries.ts";

/** Short texts of few parts, in which UTF-8, UTF-16 and length disagree about the order. */
const anyText = fc
  .array(fc.constantFrom("a", "b", "ab", "A", "\0", "1", "10", "é", "\u{1f600}", "\uff5e", "\ufffd"), {
    maxLength: 3,
  })
  .map((parts) => parts.join(""));

const anyName = fc.constantFrom("", "a", "b", "ab", "1", "2", "10", "é", "\u{1f600}", "\uff5e", "_id", "a.b");

const int64Corners = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, -(2n ** 32n), 2n ** 31n, 8_640_000_000_000_001n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

/** Twelve equal bytes, one of them changed. */
const objectIdBytes = fc
  .record({
    byte: fc.constantFrom(0, 127, 255),
    other: fc.constantFrom(0, 1, 128, 255),
    at: fc.nat({ max: 11 }),
  })
  .map(({ byte, other, at }) => Buffer.alloc(12, byte).fill(other, at, at + 1));

const anyBinary = fc
  .record({
    subtype: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 128, 255),
    length: fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(16, 253, 254, 255, 256, 257, 300)),
    first: fc.constantFrom(0, 1, 255),
  })
  .map(({ subtype, length, first }) => {
    const content = Buffer.concat([Buffer.of(first), Buffer.alloc(length, 7)]);
    return bson.binary(subtype, content.subarray(0, length));
  });

const string = anyText.map((content) => bson.text(TYPE.string, content));
const symbol = anyText.map((content) => bson.text(TYPE.symbol, content));
const code = anyText.map((content) => bson.text(TYPE.code, content));

/** Kinds of id that a server accepts, without those that hold others. */
const flatId: fc.Arbitrary<BsonValue> = fc.oneof(
  { weight: 10, arbitrary: anyNumber },
  { weight: 4, arbitrary: string },
  { weight: 1, arbitrary: symbol },
  { weight: 1, arbitrary: code },
  { weight: 3, arbitrary: anyBinary },
  { weight: 2, arbitrary: objectIdBytes.map((bytes) => ({ type: TYPE.objectId, bytes })) },
  { weight: 2, arbitrary: int64Corners.map((value) => bson.eightBytes(TYPE.date, value)) },
  { weight: 2, arbitrary: int64Corners.map((value) => bson.eightBytes(TYPE.timestamp, value)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      bson.boolean(false),
      bson.boolean(true),
      bson.bare(TYPE.null),
      bson.bare(TYPE.minKey),
      bson.bare(TYPE.maxKey),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("a.b", "a", "b.c"), objectIdBytes).map((v) => bson.dbPointer(...v)),
  },
);

/** Kinds that a server accepts only inside an object. */
const innerOnly: fc.Arbitrary<BsonValue> = fc.oneof(
  fc.constant(bson.bare(TYPE.undefined)),
  fc
    .tuple(fc.constantFrom("", "a", "ab", "é"), fc.constantFrom("", "i", "im"))
    .map(([pattern, flags]) => bson.regex(pattern, flags)),
);

function fields(value: fc.Arbitrary<BsonValue>): fc.Arbitrary<BsonValue> {
  const field = fc.tuple(anyName, value);
  return fc.uniqueArray(field, { maxLength: 3, selector: ([name]) => name }).map(bson.object);
}

function inside(depth: number): fc.Arbitrary<BsonValue> {
  const leaf = fc.oneof({ weight: 6, arbitrary: flatId }, { weight: 1, arbitrary: innerOnly });
  if (depth === 0) return leaf;
  const deeper = inside(depth - 1);
  return fc.oneof(
    { weight: 6, arbitrary: leaf },
    { weight: 2, arbitrary: fields(deeper) },
    { weight: 2, arbitrary: fc.array(deeper, { maxLength: 3 }).map(bson.array) },
  );
}

/** Small parts that come often, for objects that are nearly alike. */
const fewValues = fc.constantFrom(
  bson.int32(1),
  bson.double(1),
  bson.decimal(10n, -1),
  bson.int64(2n ** 53n),
  bson.int64(2n ** 53n + 1n),
  bson.double(2 ** 53),
  bson.text(TYPE.string, "x"),
  bson.text(TYPE.symbol, "x"),
  bson.bare(TYPE.null),
  bson.array([]),
  bson.object([]),
);

/** Any `_id` that a server accepts. */
export const acceptedId: fc.Arbitrary<BsonValue> = fc.oneof(
  { weight: 6, arbitrary: flatId },
  { weight: 2, arbitrary: fields(fewValues) },
  { weight: 2, arbitrary: fields(inside(2)) },
  { weight: 1, arbitrary: fc.tuple(anyText, fields(fewValues)).map((parts) => bson.codeWithScope(...parts)) },
);

/** Any value, those included that no server accepts as an `_id`. */
export const anyId: fc.Arbitrary<BsonValue> = fc.oneof(
  { weight: 8, arbitrary: acceptedId },
  { weight: 1, arbitrary: innerOnly },
  { weight: 1, arbitrary: fc.array(inside(1), { maxLength: 3 }).map(bson.array) },
);
