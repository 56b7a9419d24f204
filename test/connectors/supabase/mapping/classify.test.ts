import { Binary, Decimal128, Double, deserialize, Long, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentsOf } from "../../../../src/connectors/supabase/mapping/documents.ts";
import { classify, merged } from "../../../../src/connectors/supabase/mapping/equivalence/classify.ts";
import { rowOf } from "../../../../src/connectors/supabase/mapping/to-row/row.ts";
import { column, pageOf, type Text, tableOf, VALUES } from "../values.ts";

function own(type: string, text: Text): Uint8Array {
  const table = tableOf([column("id", "int4"), column("v", type)]);
  return documentsOf(table, pageOf(table, [["1", text]])).bytesOf(0);
}

/** What a document that holds `v` is to the document of a row that holds `text`. */
function like(type: string, text: Text, v: unknown): string {
  const table = tableOf([column("id", "int4"), column("v", type)]);
  return classify(table, own(type, text), serialize({ _id: 1, v }, { ignoreUndefined: true }));
}

/** What an application's whole save does to a document. */
function saved(
  bytes: Uint8Array,
  change: (document: Record<string, unknown>) => void = () => {},
): Uint8Array {
  const document = deserialize(bytes);
  change(document);
  return serialize(document, { ignoreUndefined: true });
}

describe("documents that an application saved again", () => {
  for (const [type, values] of Object.entries(VALUES)) {
    const table = tableOf([column("id", "int4"), column("v", type)]);
    it(`an unchanged ${type} value is equivalent to its row`, () => {
      fc.assert(
        fc.property(values, (text) => {
          const bytes = own(type, text);
          expect(classify(table, bytes, saved(bytes))).toBe("equivalent");
        }),
        { numRuns: 200 },
      );
    });

    it(`a changed ${type} value is different from its row`, () => {
      fc.assert(
        fc.property(values, values, (text, next) => {
          const [a, b] = [own(type, text), own(type, next)];
          const isSame = classify(table, a, b) === "equivalent";
          // Two values of Postgres are one when their rows say so: checked by what is sent, in the usual spelling.
          expect(isSame).toBe(canonical(type, text) === canonical(type, next));
          expect(classify(table, a, own(type, null))).toBe("different");
          expect(classify(table, own(type, null), a)).toBe("different");
        }),
        { numRuns: 200 },
      );
    });
  }

  it("compares blank-padded texts in linear time, and ignores blanks at the end", {
    timeout: 8_000,
  }, () => {
    const text = `a${" ".repeat(70_000)}b`;
    expect(like("bpchar", text, `${text}  `)).toBe("equivalent");
    expect(like("bpchar", text, `${text} c`)).toBe("different");
  });

  it("calls a document without its sidecar lossy-equal only because of lost microseconds", () => {
    const table = tableOf([column("id", "int4"), column("v", "timestamptz"), column("n", "numeric")]);
    const bytes = documentsOf(
      table,
      pageOf(table, [["1", "2024-01-01T00:00:00.123456+00:00", "12.50"]]),
    ).bytesOf(0);
    const strict = saved(bytes, (document) => Reflect.deleteProperty(document, "_ds"));
    expect(classify(table, bytes, strict)).toBe("lossy-equal");
    const moved = saved(bytes, (document) => {
      document.v = new Date("2024-01-01T00:00:00.124Z");
    });
    expect(classify(table, bytes, moved)).toBe("different");
    const dearer = saved(bytes, (document) => {
      document.n = 12.51;
    });
    expect(classify(table, bytes, dearer)).toBe("different");
    expect(rowOf(table, moved)).toMatchObject({
      columns: [
        ["id", "1"],
        ["v", '"2024-01-01T00:00:00.124+00:00"'],
        ["n", "12.50"],
      ],
    });
  });
});

/** An independent spelling of what Postgres holds equal, good enough for what the arbitraries make. */
function canonical(type: string, text: string): string {
  if (type.startsWith("bpchar")) return text.replace(/ +$/, "");
  if (type.startsWith("timestamp") && !type.endsWith("[]")) return instant(text);
  if (type === "numeric") return bare(text);
  if (type === "text" || !/json|numeric\[\]|timestamptz\[\]/.test(type)) return text;
  if (type === "timestamptz[]")
    return JSON.stringify(JSON.parse(text), (_, part) => (typeof part === "string" ? instant(part) : part));
  return structure(text, type);
}

function instant(text: string): string {
  const [, sub = ""] = /\.\d{3}(\d+)/.exec(text) ?? [];
  if (/BC|infinity|^\d{5}/.test(text)) return text.replace(/\+00:00/, "");
  const zone = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  const plain = zone === null ? text : text.slice(0, zone.index);
  const [sign, h, m, s] = [zone?.[1], zone?.[2], zone?.[3], zone?.[4] ?? "0"].map((part) => part ?? "0");
  const offset = (sign === "-" ? -1 : 1) * (Number(h) * 3600 + Number(m) * 60 + Number(s)) * 1000;
  return `${Date.parse(`${plain.replace(/(\.\d{3})\d+$/, "$1")}Z`) - offset} ${sub.padEnd(3, "0")}`;
}

function bare(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Members sorted, numbers without spare zeros; the text itself for what JSON.parse would not keep. */
function structure(text: string, type: string): string {
  if (type.startsWith("json") && type.endsWith("[]")) return text;
  const numbers = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(`#${plain(token)}`),
  );
  return JSON.stringify(sorted(JSON.parse(numbers)));
}

function plain(token: string): string {
  if (!/[eE]/.test(token)) return bare(token).replace(/^-0$/, "0");
  return /^1e99999999999$/i.test(token)
    ? token
    : new Decimal128(Decimal128.fromString(token).bytes).toString().replace("1E+5", "100000");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { members: members.map(([name, member]) => [name, sorted(member)]) };
}

describe("documents that an application wrote", () => {
  it("calls the same value in another type equivalent", () => {
    for (const five of [5, new Double(5), Long.fromNumber(5), Decimal128.fromString("5.0"), "5"]) {
      expect(like("int4", "5", five)).toBe("equivalent");
      expect(like("int8", "5", five)).toBe("equivalent");
      expect(like("numeric", "5.00", five)).toBe("equivalent");
      expect(like("float8", "5", five)).toBe("equivalent");
    }
    expect(like("numeric", "0.1", 0.1)).toBe("equivalent");
    expect(like("uuid", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3F2504E0-4F89-41D3-9A0C-0305E82C3301")).toBe(
      "equivalent",
    );
    expect(like("date", "2024-02-29", new Date("2024-02-29T00:00:00Z"))).toBe("equivalent");
    expect(like("timestamp", "2024-02-29T01:02:03.5", new Date("2024-02-29T01:02:03.500Z"))).toBe(
      "equivalent",
    );
    expect(like("timestamptz", "2024-02-29T01:02:03.5+00:00", "2024-02-29T03:02:03.500+02:00")).toBe(
      "equivalent",
    );
    expect(like("jsonb", '{"a": 1, "b": [1.50]}', { b: [1.5], a: Long.fromNumber(1) })).toBe("equivalent");
    expect(like("bytea", "\\x00ff", new Binary(Buffer.from("00ff", "hex")))).toBe("equivalent");
    expect(like("int4[]", "[1,null,3]", [1, null, new Double(3)])).toBe("equivalent");
    expect(like("text", null, undefined)).toBe("equivalent");
  });

  it("never calls values equivalent because of rounding", () => {
    expect(like("int8", "9007199254740993", 9007199254740992)).toBe("different");
    expect(like("numeric", "9007199254740993", 9007199254740992)).toBe("different");
    expect(like("jsonb", "9007199254740993", 9007199254740992)).toBe("different");
    expect(like("int8", "9223372036854775807", new Double(2 ** 63))).toBe("different");
    expect(like("numeric", "0.1000000000000000055511151231257827", 0.1)).toBe("different");
    expect(like("numeric", "0.10000000000000001", 0.1)).toBe("different");
    expect(like("int4", "5", 5.5)).toBe("different");
    expect(like("int4", "5", "5 ")).toBe("different");
    expect(like("float8", "0.1", "0.10000000000000001")).toBe("different");
    expect(like("timestamptz", "2024-01-01T00:00:00.123456+00:00", "2024-01-01T00:00:00.123Z")).toBe(
      "different",
    );
    expect(
      like("timestamptz", "2024-01-01T00:00:00.123456+00:00", new Date("2024-01-01T00:00:00.123Z")),
    ).toBe("lossy-equal");
    expect(
      like("timestamptz", "2024-01-01T00:00:00.000001+00:00", new Date("2023-12-31T23:59:59.999Z")),
    ).toBe("different");
    expect(
      like("timestamptz[]", '["2024-01-01T00:00:00.123456+00:00"]', [new Date("2024-01-01T00:00:00.123Z")]),
    ).toBe("lossy-equal");
    expect(like("jsonb", "null", null)).toBe("different");
    expect(like("text", "", null)).toBe("different");
    expect(like("text", "5", 5)).toBe("different");
  });

  it("calls a document without a required field different", () => {
    const table = tableOf([column("id", "int4"), column("v", "int4", { nullable: false })]);
    const bytes = documentsOf(table, pageOf(table, [["1", "5"]])).bytesOf(0);
    expect(classify(table, bytes, serialize({ _id: 1 }))).toBe("different");
  });

  it("keeps fields without a column when a document is replaced, and ignores them in comparisons", () => {
    const table = tableOf([column("id", "int4"), column("v", "numeric")]);
    const bytes = documentsOf(table, pageOf(table, [["1", "5.00"]])).bytesOf(0);
    const other = serialize({ _id: 1, __v: 3, v: 4, _ds: { v: "x" }, tags: ["a"], id: 7 });
    const result = merged(table, bytes, other);
    expect(deserialize(result)).toStrictEqual({ _id: 1, v: 5, _ds: { v: "5.00" }, __v: 3, tags: ["a"] });
    expect(classify(table, bytes, result)).toBe("equivalent");
    expect(rowOf(table, result)).toMatchObject({ extra: ["__v", "tags"] });
  });

  it("gives a reason without the value when a value does not fit its column", () => {
    const id = new ObjectId();
    const cases: [string, unknown, RegExp][] = [
      ["uuid", id, /objectId/],
      ["uuid", "not-a-uuid-secret", /not a uuid/],
      ["int4", 2 ** 31, /out of range/],
      ["int2", 40_000, /out of range/],
      ["int8", new Double(2 ** 63), /out of range/],
      ["int4", 1.5, /not whole/],
      ["int4", Number.NaN, /not whole/],
      ["int4", "9".repeat(5000), /out of range/],
      ["text", "secret\0", /U\+0000/],
      ["text", { secret: 1 }, /BSON type object/],
      ["text", 5, /BSON type int32/],
      ["jsonb", { a: ["secret\0"] }, /U\+0000/],
      ["jsonb", { a: Number.NaN }, /NaN/],
      ["jsonb", { a: /x/ }, /regex/],
      ["date", "2024-02-30", /not a date/],
      ["date", new Date(1), /midnight/],
      ["timestamptz", "2024-01-01T00:00:00", /not an exact time/],
      ["timestamptz", "yesterday", /not an exact time/],
      ["timestamptz", "2024-01-01T00:00:00+16:00", /not an exact time/],
      ["timestamptz", "2024-01-01T24:00:00Z", /not an exact time/],
      ["timestamp", "2024-01-01T00:00:00+02:00", /not an exact time/],
      ["timestamp", "2024-01-01T00:00:00.1234567", /not an exact time/],
      ["time", "12:00:00.1234567", /rounded/],
      ["float8", Long.fromString("9007199254740993"), /rounded/],
      ["float4", 0.123456789, /rounded/],
      ["float4", 1e300, /rounded/],
      ["float4", 1e-300, /rounded/],
      ["bool", 1, /BSON type int32/],
      ["bytea", new Binary(Buffer.alloc(16), 4), /Binary/],
      ["int4[]", [1, "secret"], /not a number/],
      ["int4[]", 5, /BSON type int32/],
      ["numeric", "1e", /not a number/],
    ];
    for (const [type, v, reason] of cases) {
      const row = rowOf(tableOf([column("id", "int4"), column("v", type)]), serialize({ _id: 1, v }));
      expect(row, type).toHaveProperty("reason");
      const text = "reason" in row ? row.reason : "";
      expect(text).toMatch(reason);
      expect(text).toContain(`column v (${type})`);
      expect(text).not.toMatch(/secret/);
    }
    const scaled = tableOf([column("id", "int4"), column("v", "numeric", { scale: 2 })]);
    expect(rowOf(scaled, serialize({ _id: 1, v: 1.005 }))).toHaveProperty("reason");
    expect(rowOf(scaled, serialize({ _id: 1, v: 1.5 }))).toMatchObject({
      columns: [
        ["id", "1"],
        ["v", "1.50"],
      ],
    });
    const strict = tableOf([column("id", "int4"), column("v", "int4", { nullable: false })]);
    expect(rowOf(strict, serialize({ _id: 1, v: null }))).toHaveProperty("reason");
    expect(rowOf(strict, serialize({ _id: 1 }))).toMatchObject({ columns: [["id", "1"]] });
  });

  it("rejects text that is not UTF-8", () => {
    const bytes = serialize({ _id: 1, v: "ab" });
    bytes[bytes.indexOf(0x62)] = 0xff;
    expect(rowOf(tableOf([column("id", "int4"), column("v", "text")]), bytes)).toHaveProperty("reason");
    expect(rowOf(tableOf([column("id", "int4"), column("v", "jsonb")]), bytes)).toHaveProperty("reason");
  });

  it("names columns with a JSON null, which cannot be sent", () => {
    const table = tableOf([column("id", "int4"), column("v", "jsonb")]);
    expect(rowOf(table, own("jsonb", "null"))).toMatchObject({ jsonNulls: ["v"] });
    expect(rowOf(table, own("jsonb", null))).toMatchObject({ jsonNulls: [] });
  });
});
