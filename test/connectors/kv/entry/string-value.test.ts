import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  deserialize,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { decodeRecord } from "../../../../src/connectors/kv/entry/decode-record.ts";
import { encodeRecord } from "../../../../src/connectors/kv/entry/encode-record.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { anyId } from "../../../bson/id-arbitraries.ts";
import { doc, rawDoc } from "../../../support/data/documents.ts";
import { anyText } from "./entry-arbitraries.ts";

const RUNS = process.env.DUALSYNC_TEST_LONG === undefined ? 1000 : 50_000;

/** The fields that a text becomes, as MongoDB's driver shows them. */
function fieldsOf(text: string, promoteValues = true): Record<string, unknown> {
  const found = encodeRecord({
    key: Buffer.from("k"),
    content: { type: "string", value: Buffer.from(text) },
    expiresAt: undefined,
  });
  if ("problem" in found) throw new Error(found.problem);
  const { value, raw } = deserialize(found.bytes, { promoteValues });
  return raw === undefined ? { value } : { value, raw };
}

/** The text that these fields are in a KV store, and what is lost. */
function textOf(fields: Record<string, unknown>): { text: string; losses: readonly string[] } {
  const found = decodeRecord(doc({ _id: "k", ...fields }));
  if ("problem" in found) throw new Error(found.problem);
  return { text: Buffer.from(found.entry.content.value as Uint8Array).toString(), losses: found.losses };
}

describe("strings of a KV store in documents", () => {
  it("every text comes back as it was", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(textOf(fieldsOf(text, false))).toEqual({ text: Buffer.from(text).toString(), losses: [] });
      }),
      { numRuns: RUNS },
    );
  });

  it.each<[string, unknown]>([
    ["hello", "hello"],
    ["", ""],
    ['"q"', '"q"'],
    [' "q" ', ' "q" '],
    ["007", "007"],
    ["NaN", "NaN"],
    ["{a:1}", "{a:1}"],
    ["true", true],
    ["null", null],
    ["12", 12],
    ["-1.5", -1.5],
    ["1e+21", 1e21],
    ["9007199254740993", Long.fromString("9007199254740993")],
    ["0.12345678901234567890123", Decimal128.fromString("0.12345678901234567890123")],
    ['{"b":1,"a":[true,null,"x"]}', { b: 1, a: [true, null, "x"] }],
    ['{"$set":1,"a.b":2,"":3}', { $set: 1, "a.b": 2, "": 3 }],
  ])("the text %s is its value and needs no raw", (text, value) => {
    expect(fieldsOf(text)).toEqual({ value });
  });

  it.each<[string, unknown]>([
    ['{ "a": 1 }', { a: 1 }],
    ["5 ", 5],
    ["1.10", 1.1],
    ["1E3", 1000],
    ["-0", -0],
    ['{"a":1,"a":2}', { a: 2 }],
    ['["\\u0041\\/"]', ["A/"]],
    ["[1e400]", [Decimal128.fromString("1E+400")]],
    ["[1e99999]", ["1e99999"]],
  ])("the text %s stands beside its value as raw", (text, value) => {
    expect(fieldsOf(text)).toEqual({ value, raw: text });
  });

  it.each([
    ["too deep", `${"[".repeat(91)}${"]".repeat(91)}`],
    ["half a surrogate pair", '{"a":"\\ud800"}'],
    ["a name with a NUL", '{"a\\u0000":1}'],
    ["a number that BSON has no form for", "1e99999"],
  ])("JSON that BSON cannot follow is kept as its text: %s", (_what, text) => {
    expect(fieldsOf(text)).toEqual({ value: text });
  });

  it("JSON as deep as ninety levels is a value", () => {
    const { value } = fieldsOf(`${"[".repeat(90)}${"]".repeat(90)}`);
    expect(Array.isArray(value)).toBe(true);
  });

  it("prints a value as JSON.stringify does", () => {
    const anyValue = fc
      .jsonValue({ maxDepth: 4, stringUnit: "grapheme" })
      .filter((value) => typeof value !== "string");
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = JSON.stringify(value);
        // A loss of JSON.stringify, not of ours.
        fc.pre(!text.includes("\\ud"));
        expect(textOf({ value: fieldsOf(text, false).value }).text).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: RUNS },
    );
  });
});

describe("values that an application changed", () => {
  it("raw counts no more when the value is another one", () => {
    for (const text of ['{ "a": 1 }', "1.10", '["\\u0041"]', '{"a":1,"a":2}']) {
      expect(textOf(fieldsOf(text)).text).toBe(text);
      for (const value of [{ a: 3 }, [], 1.2, null, false])
        expect(textOf({ ...fieldsOf(text), value }).text).toBe(JSON.stringify(value));
      expect(textOf({ ...fieldsOf(text), value: "plain" }).text).toBe("plain");
    }
  });

  it("raw still counts when a driver wrote the value back with another type of number", () => {
    const raw = '{ "a": 1, "b": 12345678901 }';
    expect(textOf({ raw, value: { a: new Double(1), b: 12345678901 } }).text).toBe(raw);
    expect(
      textOf({ raw, value: { a: Long.fromNumber(1), b: Decimal128.fromString("12345678901") } }).text,
    ).toBe(raw);
  });

  it("raw counts no more when the value is one that JSON has no form for", () => {
    expect(textOf({ raw: '{ "a": null }', value: { a: Number.NaN } })).toEqual({
      text: '{"a":null}',
      losses: ["a number that is not finite, which is null in JSON"],
    });
  });

  it("raw that is not the text of a value is somebody else's", () => {
    for (const raw of [5, "text", '"5"', new Binary(Buffer.from("5 ")), null, "6"])
      expect(textOf({ value: 5, raw }).text).toBe("5");
  });

  it.each<[string, unknown, string, string[]]>([
    ["a Double that is whole", new Double(5), "5", []],
    ["a large Double", new Double(1e21), "1e+21", []],
    ["negative zero", new Double(-0), "0", []],
    ["a Long", Long.MAX_VALUE, "9223372036854775807", []],
    ["a Decimal128", Decimal128.fromString("1.50"), "1.50", []],
    ["a date", new Date(Date.UTC(2024, 1, 29)), '"2024-02-29T00:00:00.000Z"', []],
    ["NaN", Number.NaN, "null", ["a number that is not finite, which is null in JSON"]],
    [
      "an infinite Decimal128",
      Decimal128.fromString("-Infinity"),
      "null",
      ["a number that is not finite, which is null in JSON"],
    ],
    [
      "an ObjectId",
      new ObjectId("0123456789abcdef01234567"),
      '"0123456789abcdef01234567"',
      ["an ObjectId, which is text in JSON"],
    ],
    [
      "a UUID",
      new UUID("00112233-4455-6677-8899-aabbccddeeff"),
      '"00112233-4455-6677-8899-aabbccddeeff"',
      ["a UUID, which is text in JSON"],
    ],
    [
      "a Binary of another subtype",
      new Binary(Buffer.from("ab"), 128),
      '"YWI="',
      ["a Binary, which is base64 in JSON"],
    ],
    [
      "a timestamp",
      new Timestamp({ t: 1, i: 2 }),
      '{"$timestamp":"4294967298"}',
      ["a timestamp, which is an object in JSON"],
    ],
    ["a regular expression", new BSONRegExp("a", "i"), "{}", ["a regular expression, which is {} in JSON"]],
    ["the least key", new MinKey(), "{}", ["a MinKey or MaxKey, which is {} in JSON"]],
    ["the greatest key", new MaxKey(), "{}", ["a MinKey or MaxKey, which is {} in JSON"]],
    ["code", new Code("f()"), '{"code":"f()"}', ["code, which is an object in JSON"]],
    [
      "code with a scope",
      new Code("f()", { a: 1 }),
      '{"code":"f()","scope":{"a":1}}',
      ["code, which is an object in JSON"],
    ],
  ])("%s becomes what JSON.stringify gives, and what that loses is named", (_what, value, text, losses) => {
    expect(textOf({ value })).toEqual({ text, losses });
    expect(textOf({ value: { a: [value] } })).toEqual({ text: `{"a":[${text}]}`, losses });
  });

  it("follows the driver in every value that it reads without a large number", () => {
    // Of the driver's own in JSON: a Long beyond 2^53 and a Decimal128 are objects, and numbers here; names like numbers move.
    const isOwn = /"high"|\$numberDecimal|"\d+":|"\$ref"/;
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 4 }), (values) => {
        const bytes = bson.documentBytes([
          ["_id", bson.text(TYPE.string, "k")],
          ["value", bson.array(values)],
        ]);
        const theirs = JSON.stringify(deserialize(bytes).value);
        fc.pre(!isOwn.test(theirs) && !values.some(({ type }) => type === TYPE.dbPointer));
        const found = decodeRecord(rawDoc(bytes));
        const ours =
          "entry" in found ? Buffer.from(found.entry.content.value as Uint8Array).toString() : found.problem;
        expect(ours).toBe(theirs);
      }),
      { numRuns: RUNS },
    );
  });

  it("a string is its text, and a Binary its bytes", () => {
    expect(textOf({ value: '{"a":1}' }).text).toBe('{"a":1}');
    expect(textOf({ value: "true" }).text).toBe("true");
    expect(textOf({ value: new BSONSymbol("s") }).text).toBe("s");
    for (const subtype of [0, 2])
      expect(textOf({ value: new Binary(Buffer.from("ab"), subtype) })).toEqual({ text: "ab", losses: [] });
  });

  it("an undefined value is left out of an object, and null elsewhere", () => {
    const undefinedValue = bson.bare(TYPE.undefined);
    const of = (value: bson.BsonValue): unknown => {
      const bytes = bson.documentBytes([
        ["_id", bson.text(TYPE.string, "k")],
        ["value", value],
      ]);
      const found = decodeRecord(rawDoc(bytes));
      return "entry" in found
        ? [Buffer.from(found.entry.content.value as Uint8Array).toString(), found.losses]
        : found;
    };
    const losses = ["an undefined value"];
    expect(
      of(
        bson.object([
          ["a", undefinedValue],
          ["b", bson.int32(1)],
        ]),
      ),
    ).toEqual(['{"b":1}', losses]);
    expect(of(bson.array([undefinedValue]))).toEqual(["[null]", losses]);
    expect(of(undefinedValue)).toEqual(["null", losses]);
  });
});
