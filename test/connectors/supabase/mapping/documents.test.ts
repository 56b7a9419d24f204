import { deserialize, Int32 } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toOrdered } from "../../../../src/bson/ordered.ts";
import { documentsOf } from "../../../../src/connectors/supabase/mapping/documents.ts";
import { rowOf } from "../../../../src/connectors/supabase/mapping/to-row/row.ts";
import { column, pageOf, type Text, tableOf, VALUES } from "../values.ts";

function documentOf(type: string, text: Text): Uint8Array {
  const table = tableOf([column("id", "int4"), column("v", type)]);
  return documentsOf(table, pageOf(table, [["1", text]])).bytesOf(0);
}

/** What is sent for the column `v`. */
function sent(type: string, bytes: Uint8Array): string {
  const row = rowOf(tableOf([column("id", "int4"), column("v", type)]), bytes);
  if ("reason" in row) throw new Error(row.reason);
  expect(row.columns[0]).toStrictEqual(["id", "1"]);
  return row.jsonNulls.length > 0 ? "JSON's null" : (row.columns[1]?.[1] as string);
}

/** The escapes of U+0000 and of half a pair, which only the type json takes and which cannot be sent. */
const UNSENDABLE = new Set(['"\\u0000"', '"\\ud800"', '{"\\u0000":1}', '{"\\udc00":1}']);

/** What PostgREST should be sent for Postgres to make this value. */
function toSend(type: string, text: string): string {
  if (type === "json" || type === "jsonb") return text === "null" ? "JSON's null" : text;
  const isBare = ["int2", "int4", "int8", "numeric", "float4", "float8"].includes(type) && !/[NI]/.test(text);
  if (isBare || type === "bool" || (type.endsWith("[]") && !/^json|^mood/.test(type))) return text;
  return JSON.stringify(text);
}

function sentOrReason(type: string, bytes: Uint8Array): string {
  try {
    return sent(type, bytes);
  } catch (error) {
    return `none: ${error}`;
  }
}

/** The same row with every character of its value escaped, where that is a string. */
function respelled(page: Buffer): Buffer {
  const coded = page.toString().replace(/(?<="v":)"(?:[^"\\]|\\.)*"/, (string) => {
    const text = JSON.parse(string) as string;
    const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16));
    return `"${units.map((unit) => `\\u${unit.padStart(4, "0")}`).join("")}"`;
  });
  return Buffer.from(coded);
}

function withoutSidecar(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf("\x03_ds\0");
  if (at < 0) return bytes;
  const cut = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1)]);
  cut.writeInt32LE(cut.length, 0);
  return cut;
}

describe("documents made from rows", () => {
  for (const [type, values] of Object.entries(VALUES)) {
    it(`a ${type} value gives its exact text back, with a sidecar only where it needs one`, () => {
      fc.assert(
        fc.property(values, (text) => {
          const bytes = documentOf(type, text);
          expect(() => deserialize(bytes, { promoteValues: false, bsonRegExp: true })).not.toThrow();
          if (type.startsWith("float")) {
            expect(JSON.parse(sent(type, bytes))).toBe(JSON.parse(toSend(type, text)));
            expect(toOrdered(bytes).has("_ds")).toBe(false);
            return;
          }
          if (UNSENDABLE.has(text)) {
            expect(() => sent(type, bytes)).toThrow(/cannot be sent/);
            return;
          }
          expect(sent(type, bytes)).toBe(toSend(type, text));
          const bare = withoutSidecar(bytes);
          if (bare !== bytes) expect(sentOrReason(type, bare)).not.toBe(toSend(type, text));
        }),
        { numRuns: 300 },
      );
    });

    it(`a ${type} value makes the same document however its string is escaped`, () => {
      const table = tableOf([column("id", "int4"), column("v", type)]);
      fc.assert(
        fc.property(values, (text) => {
          const page = pageOf(table, [["1", text]]);
          const [plain, coded] = [page, respelled(page)].map((one) => documentsOf(table, one).bytesOf(0));
          expect(coded).toStrictEqual(plain);
        }),
        { numRuns: 300 },
      );
    });

    it(`a null of type ${type} becomes a null field`, () => {
      expect(toOrdered(documentOf(type, null))).toStrictEqual(
        new Map<string, unknown>([
          ["_id", new Int32(1)],
          ["v", null],
        ]),
      );
      expect(sent(type, documentOf(type, null))).toBe("null");
    });
  }

  it.each([
    ...["1900-01-01T00:00:00 BC", "1900-01-01T00:00:00.1 BC", "1900-01-01T00:00:00.123 BC"],
    // The year before 1 is 1 BC: the leap years are 1, 5, 9 and so on, and the earliest year of Postgres is 4713.
    ...["0001-02-29T00:00:00 BC", "0005-02-29T00:00:00 BC", "4713-01-01T00:00:00 BC"],
  ])("keeps a timestamp before Christ as text: %s", (text) => {
    expect(toOrdered(documentOf("timestamp", text)).get("v")).toBe(text);
    expect(sent("timestamp", documentOf("timestamp", text))).toBe(JSON.stringify(text));
  });

  it.each([
    ...["2024-02-30T00:00:00", "2023-02-29T00:00:00", "1900-02-29T00:00:00", "2024-04-31T00:00:00"],
    ...["2024-00-10T00:00:00", "2024-13-01T00:00:00", "2024-01-00T00:00:00", "2024-01-32T00:00:00"],
    ...["2024-01-31T24:00:00", "2024-01-31T10:60:00", "2024-01-31T23:59:60.5", "9999-12-31T23:59:60"],
    ...["2024/01-31T10:00:00", "2024-01:31T10:00:00", "2024-01-31T10.00:00", "2024-01-31T10:00-00.123"],
  ])("keeps a date or time that does not exist as text: %s", (text) => {
    for (const [type, shown] of [
      ["timestamp", text],
      ["timestamptz", `${text}+00:00`],
    ] as const) {
      expect(toOrdered(documentOf(type, shown)).get("v")).toBe(shown);
      expect(toOrdered(documentOf(type, shown)).has("_ds")).toBe(false);
    }
  });

  it.each(["2024-02-29T00:00:00", "2000-02-29T23:59:59.999", "0100-01-01T00:00:00", "9999-12-31T23:59:59.9"])(
    "converts a timestamp of an existing day to a date: %s",
    (text) => {
      expect(toOrdered(documentOf("timestamp", text)).get("v")).toStrictEqual(new Date(`${text}Z`));
    },
  );

  it("writes no sidecar for a numeric of known scale, or for a jsonb as Postgres prints it", () => {
    const table = tableOf([column("id", "int4"), column("n", "numeric", { scale: 2 }), column("j", "jsonb")]);
    const rows = [
      ["1", "12.50", '{"a": [1, 2.5], "b": {}}'],
      ["2", "0.00", "[]"],
      ["3", "12345678901234567890123456789012345678901.10", "true"],
    ];
    const batch = documentsOf(table, pageOf(table, rows));
    for (const [index, [id, number, json]] of rows.entries()) {
      expect(toOrdered(batch.bytesOf(index)).has("_ds")).toBe(false);
      expect(rowOf(table, batch.bytesOf(index))).toMatchObject({
        columns: [
          ["id", id],
          ["n", number],
          ["j", json],
        ],
      });
    }
  });

  it("orders fields as the table does, whatever their order in the page", () => {
    const table = tableOf([column("b", "text"), column("id", "int4"), column("a", "text")]);
    const [one, other] = documentsOf(
      table,
      Buffer.from('[{"b":"x","id":1,"a":"y"},{"a":"y","id":1,"b":"x"}]'),
    ).docs();
    expect(one?.bytes).toStrictEqual(other?.bytes);
    expect([...toOrdered(one?.bytes as Uint8Array).keys()]).toStrictEqual(["_id", "b", "a"]);
  });

  it("accepts any column name, even one that JavaScript objects inherit", () => {
    const names = ["__proto__", "constructor", "a b", 'q"', "1", "Ärger", "$x", "a.b"];
    const table = tableOf([column("id", "int4"), ...names.map((name) => column(name, "int4"))]);
    const bytes = documentsOf(table, pageOf(table, [["1", ...names.map((_, at) => String(at))]])).bytesOf(0);
    expect([...toOrdered(bytes).keys()]).toStrictEqual(["_id", ...names]);
    const sentColumns = names.map((name, at) => [name, String(at)]);
    expect(rowOf(table, bytes)).toMatchObject({ columns: [["id", "1"], ...sentColumns] });
  });
});

describe("bytea values", () => {
  it.each([
    ["", ""],
    ["\\x", ""],
    ["\\x00ff", "00ff"],
    ["abc", "616263"],
    ["\\\\x00ff", "5c7830306666"],
    ["\\000\\377 \\\\", "00ff205c"],
  ])("reads the bytes of the bytea text %j", (text, hex) => {
    const found = deserialize(documentOf("bytea", text), { promoteBuffers: true });
    expect(Buffer.from(found.v).toString("hex")).toBe(hex);
    const array = deserialize(documentOf("bytea[]", JSON.stringify([text, null])), { promoteBuffers: true });
    expect(Buffer.from(array.v[0]).toString("hex")).toBe(hex);
  });

  it.each(["\\x0", "\\xzz", "\\", "\\1", "\\400", "\\x00\\000", "é", "a\tb"])(
    "rejects the malformed bytea text %j",
    (text) => {
      expect(() => documentOf("bytea", text)).toThrow(RangeError);
    },
  );
});
