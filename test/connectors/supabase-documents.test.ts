import { deserialize, Int32 } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toOrdered } from "../../src/bson/ordered.ts";
import { documentsOf } from "../../src/connectors/supabase/documents.ts";
import { rowOf } from "../../src/connectors/supabase/row.ts";
import { column, pageOf, type Text, tableOf, VALUES } from "./supabase-values.ts";

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

/** What PostgREST is to be sent for Postgres to make this value. */
function toSend(type: string, text: string): string {
  if (type === "json" || type === "jsonb") return text === "null" ? "JSON's null" : text;
  const isBare = ["int2", "int4", "int8", "numeric", "float4", "float8"].includes(type) && !/[NI]/.test(text);
  if (isBare || type === "bool" || type === "mood" || (type.endsWith("[]") && !type.startsWith("json")))
    return text;
  return JSON.stringify(text);
}

function sentOrReason(type: string, bytes: Uint8Array): string {
  try {
    return sent(type, bytes);
  } catch (error) {
    return `none: ${error}`;
  }
}

function withoutSidecar(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf("\x03_ds\0");
  if (at < 0) return bytes;
  const cut = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1)]);
  cut.writeInt32LE(cut.length, 0);
  return cut;
}

describe("a row becomes a document", () => {
  for (const [type, values] of Object.entries(VALUES)) {
    it(`of ${type} that gives the exact text back, with a sidecar only where it has to`, () => {
      fc.assert(
        fc.property(values, (text) => {
          const bytes = documentOf(type, text);
          expect(() => deserialize(bytes, { promoteValues: false, bsonRegExp: true })).not.toThrow();
          if (type.startsWith("float")) {
            expect(JSON.parse(sent(type, bytes))).toBe(JSON.parse(toSend(type, text)));
            expect(toOrdered(bytes).has("_ds")).toBe(false);
            return;
          }
          expect(sent(type, bytes)).toBe(toSend(type, text));
          const bare = withoutSidecar(bytes);
          if (bare !== bytes) expect(sentOrReason(type, bare)).not.toBe(toSend(type, text));
        }),
        { numRuns: 300 },
      );
    });

    it(`of ${type}, with SQL's null`, () => {
      expect(toOrdered(documentOf(type, null))).toStrictEqual(
        new Map<string, unknown>([
          ["_id", new Int32(1)],
          ["v", null],
        ]),
      );
      expect(sent(type, documentOf(type, null))).toBe("null");
    });
  }
});
