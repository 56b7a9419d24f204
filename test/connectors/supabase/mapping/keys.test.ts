import { Binary, Decimal128, Double, deserialize, Int32, Long, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIds } from "../../../../src/bson/compare-ids.ts";
import { toOrdered } from "../../../../src/bson/ordered.ts";
import { selectText } from "../../../../src/connectors/supabase/api/condition.ts";
import { documentsOf } from "../../../../src/connectors/supabase/mapping/documents.ts";
import { isOrdered, keyTexts } from "../../../../src/connectors/supabase/mapping/key.ts";
import { mappingProblem, selectOf } from "../../../../src/connectors/supabase/mapping/layout.ts";
import { rowOf } from "../../../../src/connectors/supabase/mapping/to-row/row.ts";
import { DocumentId, idElement } from "../../../../src/model/document.ts";
import { column, pageOf, tableOf, VALUES } from "../values.ts";

const SCALARS = Object.entries(VALUES).filter(([type]) => !/json|\[\]|mood/.test(type));

function idOf(value: unknown): DocumentId {
  return new DocumentId(idElement(serialize({ _id: value })));
}

/** The `_id` of a row whose key is this text. */
function keyId(type: string, text: string): DocumentId {
  const table = tableOf([column("id", type)]);
  return documentsOf(table, pageOf(table, [[text]])).idOf(0);
}

describe("primary keys", () => {
  for (const [type, values] of SCALARS) {
    it(`a key of type ${type} is found again by its _id, and different keys have different ids`, () => {
      const table = tableOf([column("id", type)]);
      fc.assert(
        fc.property(values, values, (a, b) => {
          const id = keyId(type, a);
          const [found] = keyTexts(table, id) ?? [];
          // Only numbers have more than one text.
          if (type === "numeric") expect(Number(found)).toBe(Number(a));
          else if (type.startsWith("float")) expect(Number(found)).toBe(Number(a));
          else expect(found).toBe(a);
          expect(keyId(type, found as string).key).toBe(id.key);
          if (a !== b && !/numeric|float/.test(type)) expect(keyId(type, b).key).not.toBe(id.key);
        }),
        { numRuns: 150 },
      );
    });
  }

  it("gives all texts of a numeric key the same _id, however many digits it has", () => {
    for (const number of [
      "0",
      "1.5",
      "-3",
      "123456789012345678901234567890123456789.5",
      "0.1000000000000000055511151231257827021181583404541015625",
    ]) {
      const padded = number.includes(".") ? `${number}000` : `${number}.00`;
      expect(keyId("numeric", padded).key).toBe(keyId("numeric", number).key);
    }
  });

  it.each(["1e-7000", "1E7000", "-1.5e-7000", "1e99999999999"])(
    "rejects the numeric key %s, which Postgres writes without an exponent",
    (text) => {
      expect(() => keyId("numeric", text)).toThrow(RangeError);
      expect(keyTexts(tableOf([column("id", "numeric")]), idOf(text))).toBeUndefined();
    },
  );

  it("reads a numeric key with very many digits in linear time", { timeout: 10_000 }, () => {
    const number = `0.1${"0".repeat(100_000)}1`;
    const table = tableOf([column("id", "numeric"), column("v", "numeric"), column("j", "jsonb")]);
    const batch = documentsOf(table, pageOf(table, [[`${number}00`, number, `[${number}]`]]));
    expect(toOrdered(batch.bytesOf(0)).get("_id")).toBe(number);
    expect(toOrdered(batch.bytesOf(0)).get("v")).toBe(number);
  });

  it("keeps the trailing zeros of a numeric key", () => {
    const table = tableOf([column("id", "numeric"), column("v", "text")]);
    const bytes = documentsOf(table, pageOf(table, [["1.50", "x"]])).bytesOf(0);
    expect(deserialize(bytes)).toStrictEqual({ _id: 1.5, v: "x", _ds: { id: "1.50" } });
    expect(rowOf(table, bytes)).toMatchObject({
      columns: [
        ["id", "1.50"],
        ["v", '"x"'],
      ],
    });
  });

  it("uses a key column of another name as the _id, and keeps the column", () => {
    const table = tableOf(
      [column("a", "text"), column("code", "int8"), column("at", "timestamptz")],
      ["code"],
    );
    const bytes = documentsOf(table, pageOf(table, [["x", "7", "2024-01-01T00:00:00.000001+00:00"]])).bytesOf(
      0,
    );
    const tree = toOrdered(bytes);
    expect([...tree.keys()]).toStrictEqual(["_id", "a", "code", "at", "_ds"]);
    expect(tree.get("_id")).toStrictEqual(Long.fromNumber(7));
    const other = serialize({ _id: 7, a: "x", code: 8 });
    expect(rowOf(table, other)).toStrictEqual({
      reason: "column code (int8): a value that is not the one in the `_id`",
    });
    expect(rowOf(table, serialize({ _id: 7, a: "x" }))).toMatchObject({
      columns: [
        ["a", '"x"'],
        ["code", "7"],
        ["at", "null"],
      ],
    });
  });

  it("uses a composite key as a document in _id, and keeps its columns", () => {
    const columns = [
      column("a", "int4"),
      column("b", "uuid"),
      column("t", "timestamptz"),
      column("v", "bool"),
    ];
    const table = tableOf(columns, ["a", "b", "t"]);
    const uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    const time = "2024-01-01T00:00:00.123456+00:00";
    const bytes = documentsOf(table, pageOf(table, [["1", uuid, time, "true"]])).bytesOf(0);
    expect(deserialize(bytes)._id).toStrictEqual({ a: 1, b: uuid, t: time });
    expect(keyTexts(table, new DocumentId(idElement(bytes)))).toStrictEqual(["1", uuid, time]);
    const columnsSent = [
      ["a", "1"],
      ["b", `"${uuid}"`],
      ["t", `"${time}"`],
      ["v", "true"],
    ];
    expect(rowOf(table, bytes)).toMatchObject({ columns: columnsSent });
    // Saved without the sidecar, the key still has every digit.
    const { _ds, ...saved } = deserialize(bytes);
    expect(rowOf(table, serialize(saved))).toMatchObject({ columns: columnsSent });
    expect(keyTexts(table, idOf({ b: uuid, a: 1, t: time }))).toBeUndefined();
    expect(keyTexts(table, idOf({ a: 1, b: uuid }))).toBeUndefined();
    expect(keyTexts(table, idOf({ a: 1, b: uuid, t: time, x: 1 }))).toBeUndefined();
  });

  it("uses a key column named _id as the _id", () => {
    const table = tableOf([column("_id", "text"), column("id", "int4")], ["_id"]);
    const bytes = documentsOf(table, pageOf(table, [["k", "5"]])).bytesOf(0);
    expect(deserialize(bytes)).toStrictEqual({ _id: "k", id: 5 });
    expect(rowOf(table, bytes)).toMatchObject({
      columns: [
        ["_id", '"k"'],
        ["id", "5"],
      ],
      extra: [],
    });
  });

  it("finds no key for an _id that no row can have", () => {
    const cases: [string, unknown][] = [
      ["uuid", new ObjectId()],
      ["uuid", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"],
      ["uuid", "x"],
      ["int4", "5"],
      ["int4", 2 ** 40],
      ["int4", 5.5],
      ["int8", new Double(2 ** 63)],
      ["text", new ObjectId()],
      ["text", 5],
      ["text", "a\0"],
      ["timestamptz", new Date(0)],
      ["timestamptz", "2024-01-01"],
      ["date", new Date(0)],
      ["bytea", new Binary(Buffer.alloc(2), 5)],
      ["bool", null],
      ["numeric", "1.5"],
      ["int4", { a: 5 }],
    ];
    for (const [type, id] of cases) {
      const table = tableOf([column("id", type)]);
      expect(keyTexts(table, idOf(id)), `${type} ${id}`).toBeUndefined();
      expect(rowOf(table, serialize({ _id: id }))).toHaveProperty("reason");
    }
    for (const five of [new Int32(5), new Double(5), Long.fromNumber(5), Decimal128.fromString("5.0")]) {
      for (const type of ["int2", "int4", "int8", "numeric", "float8"])
        expect(Number(keyTexts(tableOf([column("id", type)]), idOf(five)))).toBe(5);
    }
  });

  it("sorts keys like their ids where it claims that order", () => {
    expect(isOrdered(tableOf([column("a", "uuid"), column("b", "int8")], ["a", "b"]))).toBe(true);
    for (const type of [
      "text",
      "varchar",
      "numeric",
      "date",
      "timestamptz",
      "bytea",
      "float8",
      "mood",
      "int4[]",
    ])
      expect(isOrdered(tableOf([column("id", type)])), type).toBe(false);
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uuid(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer(),
        (a, b, big, small) => {
          const table = tableOf([column("a", "uuid"), column("b", "int8")], ["a", "b"]);
          const page = documentsOf(
            table,
            pageOf(table, [
              [a, String(big)],
              [b, String(small)],
              [a, String(small)],
            ]),
          );
          const [one, two, three] = [page.idOf(0), page.idOf(1), page.idOf(2)].map(({ element }) => element);
          if (a !== b)
            expect(Math.sign(compareIds(one as Uint8Array, two as Uint8Array))).toBe(a < b ? -1 : 1);
          expect(compareIds(one as Uint8Array, three as Uint8Array) < 0).toBe(big < BigInt(small));
        },
      ),
    );
  });
});

describe("tables", () => {
  it("gives the reason why a table cannot be mapped to documents", () => {
    const id = column("id", "int4");
    expect(mappingProblem(tableOf([id]))).toBeUndefined();
    expect(mappingProblem(tableOf([id], []))).toMatch(/no primary key/);
    expect(mappingProblem(tableOf([id, column("_id", "text")]))).toMatch(/_id/);
    expect(mappingProblem(tableOf([column("_id", "text"), id], ["_id", "id"]))).toMatch(/_id/);
    expect(mappingProblem(tableOf([id, column("_ds", "text")]))).toMatch(/_ds/);
    expect(mappingProblem(tableOf([column("id", "jsonb")]))).toMatch(/jsonb/);
    expect(mappingProblem(tableOf([column("id", "int4[]")]))).toMatch(/int4\[\]/);
    expect(mappingProblem(tableOf([id], ["x"]))).toMatch(/cannot be read/);
  });

  it("selects columns with names quoted where needed, and JSON as text", () => {
    const columns = ["id", "a b", 'q"\\', "a,b", "Ärger"].map((name) => column(name, "int4"));
    const table = tableOf([...columns, column("j", "json"), column("l", "jsonb[]"), column("t", "text[]")]);
    expect(selectText(selectOf(table))).toBe('id,"a b","q\\"\\\\","a,b","Ärger",j::text,l::text,t');
  });

  it("rejects a page that does not fit its table, without showing its content", () => {
    const table = tableOf([
      column("id", "int4"),
      column("n", "int8"),
      column("v", "text", { nullable: false }),
    ]);
    const pages = [
      "",
      "{}",
      '[{"id":1,"n":2,"v":"secret"}',
      '[{"id":1,"n":2,"v":"secret"}]x',
      '[{"id":1,"n":2}]',
      '[{"id":1,"n":2,"v":"secret","x":1}]',
      '[{"id":1,"n":2,"n":3,"v":"secret"}]',
      '[{"id":1,"n":2,"secret":3,"v":"x"}]',
      '[{"id":"secret","n":2,"v":"x"}]',
      '[{"id":null,"n":2,"v":"x"}]',
      '[{"id":1,"n":9223372036854775808,"v":"x"}]',
      '[{"id":1,"n":1.5,"v":"x"}]',
      '[{"id":1,"n":2,"v":5}]',
      '[{"id":1,"n":2,"v":"\\ud800"}]',
      '[{"id":4294967296,"n":2,"v":"x"}]',
    ];
    for (const page of pages) {
      expect(() => documentsOf(table, Buffer.from(page)), page).toThrow(RangeError);
      expect(() => documentsOf(table, Buffer.from(page)), page).not.toThrow(/secret/);
    }
    expect(documentsOf(table, Buffer.from(' [ { "v" : "x" , "id" : 1 ,\n"n":2 } ] ')).length).toBe(1);
    expect(documentsOf(table, Buffer.from("[]")).length).toBe(0);
  });
});
