import { Binary, Double, Int32, Long, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../src/bson/elements.ts";
import { BsonWriter, nameBytes, UnwritableText } from "../../src/bson/writer.ts";

type Value = null | boolean | string | Int32 | Long | Double | Date | Binary | Value[] | Map<string, Value>;

const name = fc.string({ unit: "grapheme", maxLength: 70 }).map((text) => text.replaceAll("\0", ""));
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.integer().map((number) => new Int32(number)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number) => Long.fromBigInt(number)),
    fc.double().map((number) => new Double(number)),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => new Binary(bytes)),
    fc.array(tie("value"), { maxLength: 12 }),
    fc.array(fc.tuple(name, tie("value")), { maxLength: 6 }).map((fields) => new Map(fields)),
  ),
}));
const document = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((fields) => new Map(fields));

function write(writer: BsonWriter, fields: Iterable<[string | number, Value]>, asBytes: boolean): void {
  const start = writer.begin();
  for (const [key, part] of fields) {
    const label = asBytes ? nameBytes(String(key)) : String(key);
    writeValue(writer, (type) => writer.element(type, label), part, asBytes);
  }
  writer.end(start);
}

function writeValue(writer: BsonWriter, head: (type: number) => void, part: Value, asBytes: boolean): void {
  if (part === null) head(TYPE.null);
  else if (typeof part === "boolean") {
    head(TYPE.boolean);
    writer.boolean(part);
  } else if (typeof part === "string") {
    head(TYPE.string);
    writer.string(part);
  } else if (part instanceof Int32) {
    head(TYPE.int32);
    writer.int32(part.value);
  } else if (part instanceof Long) {
    head(TYPE.int64);
    const number = part.toBigInt();
    writer.int64(Number.isSafeInteger(Number(number)) ? Number(number) : number);
  } else if (part instanceof Double) {
    head(TYPE.double);
    writer.double(part.value);
  } else if (part instanceof Date) {
    head(TYPE.date);
    writer.int64(part.getTime());
  } else if (part instanceof Binary) {
    head(TYPE.binary);
    writer.binary(part.value());
  } else {
    head(part instanceof Map ? TYPE.object : TYPE.array);
    write(writer, part.entries(), asBytes);
  }
}

describe("BsonWriter", () => {
  it("writes the same bytes as the bson package, document after document, as its buffer grows", () => {
    fc.assert(
      fc.property(fc.array(document, { maxLength: 4 }), fc.boolean(), (documents, asBytes) => {
        const writer = new BsonWriter(1);
        for (const fields of documents) write(writer, fields, asBytes);
        expect(Buffer.from(writer.written())).toStrictEqual(
          Buffer.concat(documents.map((fields) => serialize(fields))),
        );
      }),
    );
  });

  it("discards what was written after the position that it rewinds to", () => {
    const writer = new BsonWriter();
    const start = writer.begin();
    const here = writer.length;
    writer.stringField("lost", "x");
    writer.rewind(here);
    writer.stringField("kept", "y");
    writer.end(start);
    expect(Buffer.from(writer.written())).toStrictEqual(Buffer.from(serialize({ kept: "y" })));
  });

  it("throws UnwritableText for text that BSON cannot hold, instead of altering it", () => {
    for (const half of ["\ud800", "a\udc00", `${"x".repeat(100)}\ud83d`]) {
      expect(() => new BsonWriter().string(half)).toThrow(UnwritableText);
      expect(() => new BsonWriter().element(TYPE.null, half)).toThrow(UnwritableText);
      expect(() => nameBytes(half)).toThrow(UnwritableText);
    }
    expect(() => new BsonWriter().element(TYPE.null, "a\0b")).toThrow(UnwritableText);
    expect(() => nameBytes("a\0b")).toThrow(UnwritableText);
  });
});
