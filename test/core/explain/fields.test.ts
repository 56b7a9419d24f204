import { describe, expect, it } from "vitest";
import { TYPE } from "../../../src/bson/elements.ts";
import { fieldDifferences } from "../../../src/core/explain/fields.ts";
import type { FieldDifference } from "../../../src/model/reporter.ts";
import type { BsonValue } from "../../bson/bson-bytes.ts";
import * as bson from "../../bson/bson-bytes.ts";
import { LOOK_ALIKES } from "./look-alikes.ts";

type FieldDifferences = readonly (readonly [string | Buffer, BsonValue])[];

const one = bson.int32(1);
const two = bson.int32(2);

function compare(source: FieldDifferences, target: FieldDifferences): FieldDifference[] {
  const { fields, more } = fieldDifferences(bson.documentBytes(source), bson.documentBytes(target), {
    values: false,
  });
  expect(more).toBe(0);
  return [...fields];
}

function values(source: BsonValue, target: BsonValue): FieldDifference | undefined {
  const [a, b] = [source, target].map((value) => bson.documentBytes([["v", value]]));
  return fieldDifferences(a as Buffer, b as Buffer, { values: true }).fields[0];
}

describe("fieldDifferences", () => {
  it.each(LOOK_ALIKES.map((pair) => ({ what: pair[0], pair })))(
    "fieldDifferences distinguishes $what, and names both types",
    ({ pair }) => {
      const [, a, aType, b, bType, note] = pair;
      const expected = { source: aType, target: bType, ...(note === undefined ? {} : { note }) };
      expect(compare([["v", a]], [["v", b]])[0]).toEqual({ path: "/v", ...expected });
      const [nested] = compare(
        [["list", bson.array([one, bson.object([["v", a]])])]],
        [["list", bson.array([one, bson.object([["v", b]])])]],
      );
      expect(nested).toEqual({ path: "/list/1/v", ...expected });
    },
  );

  it("fieldDifferences returns nothing for documents with the same bytes", () => {
    expect(compare([["a", one]], [["a", one]])).toEqual([]);
  });

  it("names fields and elements that only one side has, wherever they are", () => {
    expect(
      compare(
        [
          ["gone", one],
          ["a", one],
          ["b", two],
        ],
        [
          ["a", one],
          ["b", one],
          ["new", bson.bare(TYPE.null)],
        ],
      ),
    ).toEqual([
      { path: "/gone", source: "int", target: undefined },
      { path: "/b", source: "int", target: "int" },
      { path: "/new", source: undefined, target: "null" },
    ]);
    expect(compare([["l", bson.array([one, two])]], [["l", bson.array([one])]])).toEqual([
      { path: "/l/1", source: "int", target: undefined },
    ]);
  });

  it("reports a different order of fields once per object, beside what else differs", () => {
    const inner = (...fields: FieldDifferences): FieldDifferences => [["o", bson.object(fields)]];
    expect(compare(inner(["a", one], ["b", two]), inner(["b", two], ["a", one]))).toEqual([
      { path: "/o", source: "object", target: "object", note: "order of fields" },
    ]);
    expect(compare([...inner(["a", one]), ["b", two]], [["b", one], ...inner(["a", one])])).toEqual([
      { path: "", source: "object", target: "object", note: "order of fields" },
      { path: "/b", source: "int", target: "int" },
    ]);
  });

  it("pairs repeated field names in their order", () => {
    expect(
      compare(
        [
          ["a", one],
          ["a", two],
        ],
        [["a", one]],
      ),
    ).toEqual([{ path: "/a", source: "int", target: undefined, note: "repeated field name" }]);
    expect(
      compare(
        [
          ["a", one],
          ["b", one],
          ["a", two],
        ],
        [
          ["b", one],
          ["a", one],
          ["a", bson.int64(2n)],
        ],
      ),
    ).toEqual([
      { path: "", source: "object", target: "object", note: "order of fields" },
      { path: "/a", source: "int", target: "long" },
    ]);
  });

  it("compares elements of an array with fields of an object by their names", () => {
    expect(compare([["v", bson.array([one, two])]], [["v", bson.object([["0", bson.int64(1n)]])]])).toEqual([
      { path: "/v", source: "array", target: "object" },
      { path: "/v/0", source: "int", target: "long" },
      { path: "/v/1", source: "int", target: undefined },
    ]);
  });

  it("escapes names as JSON pointers do, and distinguishes names that are not UTF-8", () => {
    expect(compare([["a/b~c", one]], [])).toEqual([{ path: "/a~1b~0c", source: "int", target: undefined }]);
    expect(compare([[Buffer.of(0xff), one]], [[Buffer.of(0xfe), one]])).toEqual([
      { path: "/\ufffd", source: "int", target: undefined },
      { path: "/\ufffd", source: undefined, target: "int" },
    ]);
    expect(compare([["", one]], [["", two]])).toEqual([{ path: "/", source: "int", target: "int" }]);
  });

  it("lists 20 fields and counts the others", () => {
    const many = (value: BsonValue): Buffer =>
      bson.documentBytes(Array.from({ length: 50 }, (_, i) => [`f${i}`, value]));
    const { fields, more } = fieldDifferences(many(one), many(two), { values: true });
    expect([fields.length, fields[19]?.path, more]).toEqual([20, "/f19", 30]);
  });

  it("reports bytes after the end of a document", () => {
    const bytes = bson.documentBytes([["a", one]]);
    const longer = Buffer.concat([bytes, Buffer.of(0)]);
    expect(fieldDifferences(bytes, longer, { values: false })).toEqual({
      fields: [{ path: "", source: "object", target: "object", note: "stored bytes" }],
      more: 0,
    });
  });

  it("reports an object that cannot be read, and continues after it", () => {
    const broken = bson.object([["x", one]]);
    broken.bytes[4] = 0x20;
    const target: FieldDifferences = [
      ["o", broken],
      ["b", one],
    ];
    expect(compare([["o", bson.object([["x", one]])]], target)).toEqual([
      { path: "/o", source: "object", target: "object", note: "unreadable BSON" },
      { path: "/b", source: undefined, target: "int" },
    ]);
    const nothing = fieldDifferences(new Uint8Array(), bson.documentBytes([]), { values: true });
    expect(nothing.fields).toMatchObject([{ path: "", note: "unreadable BSON" }]);
  });
});

describe("values of fieldDifferences", () => {
  it("shows values as canonical Extended JSON in stored order", () => {
    const source = bson.object([
      ["b", one],
      ["1", bson.array([bson.double(-0), bson.eightBytes(TYPE.date, -1n)])],
    ]);
    expect(values(source, bson.bare(TYPE.undefined))).toEqual({
      path: "/v",
      source: "object",
      sourceValue: '{"b":{"$numberInt":"1"},"1":[{"$numberDouble":"-0.0"},{"$date":{"$numberLong":"-1"}}]}',
      target: "undefined",
      targetValue: '{"$undefined":true}',
    });
    expect(
      values(bson.eightBytes(TYPE.date, 2n ** 62n), bson.text(TYPE.string, Buffer.of(0xff))),
    ).toMatchObject({
      sourceValue: '{"$date":{"$numberLong":"4611686018427387904"}}',
      targetValue: "0x02000000ff00",
    });
  });

  it("shows no value of an absent field, and none at all when values were not requested", () => {
    const bytes = bson.documentBytes([["secret", bson.text(TYPE.string, "hunter2")]]);
    const empty = bson.documentBytes([]);
    const [field] = fieldDifferences(bytes, empty, { values: true }).fields;
    expect(field).toEqual({
      path: "/secret",
      source: "string",
      sourceValue: '"hunter2"',
      target: undefined,
    });
    expect(JSON.stringify(fieldDifferences(bytes, empty, { values: false }))).not.toContain("hunter2");
  });

  it("cuts values between characters, and notes where values that look the same when cut begin to differ", () => {
    const text = (end: string): BsonValue => bson.text(TYPE.string, `${"\u{1f600}".repeat(60)}x${end}`);
    const cut = `"${"\u{1f600}".repeat(59)}…`;
    expect(values(text("a"), text("b"))).toMatchObject({
      sourceValue: cut,
      targetValue: cut,
      note: "equal up to byte 241",
    });
    const large = bson.binary(0, Buffer.alloc(1_000_000, 1));
    const other = bson.binary(0, Buffer.alloc(1_000_000, 1).fill(2, 999_999));
    const start = `{"$binary":{"base64":"${"AQEB".repeat(25)}`;
    const field = values(large, other);
    expect(field?.sourceValue?.slice(0, start.length - 10)).toBe(start.slice(0, -10));
    expect(field?.sourceValue).toHaveLength(121);
    expect(field?.note).toBe("equal up to byte 999999");
  });
});
