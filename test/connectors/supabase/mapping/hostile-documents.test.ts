import { serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentsOf } from "../../../../src/connectors/supabase/mapping/documents.ts";
import { classify, merged } from "../../../../src/connectors/supabase/mapping/equivalence/classify.ts";
import { keyTexts } from "../../../../src/connectors/supabase/mapping/key.ts";
import { rowOf } from "../../../../src/connectors/supabase/mapping/to-row/row.ts";
import { DocumentId, idElement } from "../../../../src/model/document.ts";
import { runs } from "../../../support/runs.ts";
import { column, pageOf, tableOf, VALUES } from "../values.ts";

const types = Object.keys(VALUES);
const table = tableOf([column("id", "int4"), ...types.map((type) => column(type, type))]);
const row = fc.tuple(...types.map((type) => fc.option(VALUES[type] as fc.Arbitrary<string>)));
const own = row.map((texts) => documentsOf(table, pageOf(table, [["1", ...texts]])).bytesOf(0));

const plainRow = documentsOf(table, pageOf(table, [["1", ...types.map(() => null)]])).bytesOf(0);

/** Nothing but a RangeError, and that only for bytes that are not BSON. */
function outcome(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    expect(String(error)).not.toMatch(/call stack/);
  }
}

/** A value inside of many arrays or documents. */
function nested(levels: number, type: number): Buffer {
  const length = 8 * levels + 5;
  const bytes = Buffer.alloc(length);
  for (let level = 0; level <= levels; level++) {
    bytes.writeInt32LE(length - 8 * level, 7 * level);
    if (level < levels) bytes.set([type, 0x30, 0], 7 * level + 4);
  }
  return bytes;
}

describe("hostile documents", () => {
  it("corrupted bytes become a row, a rejection or a RangeError", () => {
    fc.assert(
      fc.property(
        own,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
        (bytes, changes) => {
          const changed = Uint8Array.from(bytes);
          for (const [at, value] of changes) changed[at % changed.length] = value;
          outcome(() => rowOf(table, changed));
          outcome(() => merged(table, bytes, changed));
          outcome(() => keyTexts(table, new DocumentId(idElement(changed))));
          expect(["equivalent", "lossy-equal", "different"]).toContain(classify(table, bytes, changed));
        },
      ),
      { numRuns: runs(400) },
    );
  });

  it("documents may be nested to any depth", () => {
    for (const type of [0x03, 0x04]) {
      const value = nested(100_000, type);
      for (const name of [
        "_id",
        "_ds",
        "jsonb",
        "jsonb[]",
        "int4[]",
        "timestamptz[]",
        "mood",
        "text",
        "extra",
      ]) {
        const head = Buffer.from([type, ...Buffer.from(name), 0]);
        const id = name === "_id" ? Buffer.alloc(0) : Buffer.from([0x10, 0x5f, 0x69, 0x64, 0, 1, 0, 0, 0]);
        const bytes = Buffer.concat([Buffer.alloc(4), id, head, value, Buffer.alloc(1)]);
        bytes.writeInt32LE(bytes.length);
        outcome(() => rowOf(table, bytes));
        outcome(() => keyTexts(table, new DocumentId(idElement(bytes))));
        expect(classify(table, serialize({ _id: 1 }), bytes)).toMatch(/different|equivalent/);
      }
    }
  });

  it("a sidecar that contradicts its field is ignored", () => {
    fc.assert(
      fc.property(own, fc.constantFrom(...types), fc.string(), fc.string(), (bytes, name, value, entry) => {
        const plain = serialize({ _id: 1, [name]: value });
        const claimed = serialize({ _id: 1, [name]: value, _ds: { [name]: entry, id: entry } });
        const [one, other] = [rowOf(table, plain), rowOf(table, claimed)];
        expect(classify(table, plain, claimed)).toBe("reason" in one ? "different" : "equivalent");
        expect("reason" in one).toBe("reason" in other);
        outcome(() => classify(table, bytes, claimed));
      }),
      { examples: [[plainRow, "timestamptz", "", ""]] },
    );
  });
});
