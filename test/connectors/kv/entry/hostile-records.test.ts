import fc from "fast-check";
import { expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { contents } from "../../../../src/connectors/kv/entry/contents.ts";
import { decodeRecord } from "../../../../src/connectors/kv/entry/decode-record.ts";
import { encodeRecord } from "../../../../src/connectors/kv/entry/encode-record.ts";
import { mapping } from "../../../../src/connectors/kv/entry/mapping.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { anyId } from "../../../bson/id-arbitraries.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { anyEntry } from "./entry-arbitraries.ts";

const RUNS = process.env.DUALSYNC_TEST_LONG === undefined ? 1000 : 50_000;

/** A value that no message may repeat. */
const SECRET = bson.text(TYPE.string, "s3cr3t");

const anyType = fc.constantFrom("string", "json", "hash", "list", "set", "zset", "stream", "other");
const part = fc.oneof(anyId, fc.constant(SECRET));
const anyValue: fc.Arbitrary<bson.BsonValue> = fc.oneof(
  part,
  fc.array(part, { maxLength: 3 }).map(bson.array),
  fc
    .array(
      fc
        .array(fc.tuple(fc.constantFrom("f", "v", "m", "s", "id", "fields"), part), { maxLength: 3 })
        .map(bson.object),
      { maxLength: 3 },
    )
    .map(bson.array),
  fc.tuple(part, part).map(([entries, lastId]) =>
    bson.object([
      ["entries", entries],
      ["lastId", lastId],
    ]),
  ),
);

it("no document, whatever stands in it, is more than unreadable, and no problem repeats a value", () => {
  fc.assert(
    fc.property(
      fc.oneof(anyId, fc.constant(bson.text(TYPE.string, "s3cr3t"))),
      fc.option(anyType, { nil: undefined }),
      anyValue,
      fc.option(part, { nil: undefined }),
      fc.option(part, { nil: undefined }),
      (id, type, value, raw, expiresAt) => {
        const document = rawDoc(
          bson.documentBytes([
            ["_id", id],
            ...(type === undefined ? [] : [["type", bson.text(TYPE.string, type)] as const]),
            ["value", value],
            ...(raw === undefined ? [] : [["raw", raw] as const]),
            ...(expiresAt === undefined ? [] : [["expiresAt", expiresAt] as const]),
          ]),
        );
        const found = decodeRecord(document);
        if ("problem" in found) {
          expect(found.problem).toMatch(/^(has|is|holds|nests) /);
          expect(found.problem).not.toContain("s3cr3t");
          expect(contents.of(document)).toEqual(found);
          expect(contents.saysSame(document, document)).toBe(false);
          return;
        }
        expect(found.losses.join()).not.toContain("s3cr3t");
        // What was read is an entry like any other.
        const record = encodeRecord(found.entry);
        if ("problem" in record) throw new Error(record.problem);
        expect(contents.of(record)).toEqual({ ...contents.of(document), losses: [] });
        expect(contents.saysSame(document, record)).toBe(true);
        expect(mapping.classify("kv_records", record, document)).toBe("equivalent");
      },
    ),
    { numRuns: RUNS },
  );
});

it("damaged bytes are unreadable, or another entry", () => {
  fc.assert(
    fc.property(anyEntry, fc.nat(), fc.integer({ min: 0, max: 255 }), (entry, at, byte) => {
      const record = encodeRecord({ ...entry, key: Buffer.from("k") });
      if ("problem" in record) throw new Error(record.problem);
      const bytes = Buffer.from(record.bytes);
      bytes[at % bytes.length] = byte;
      const found = decodeRecord({ id: record.id, bytes });
      if ("problem" in found) expect(found.problem).toMatch(/^(has|is|holds|nests) /);
    }),
    { numRuns: RUNS },
  );
});

it("a value that nests as deep as no server stores is unreadable", () => {
  let value = bson.array([]);
  for (let level = 0; level < 5000; level++) value = bson.array([value]);
  const bytes = bson.documentBytes([
    ["_id", bson.text(TYPE.string, "k")],
    ["value", value],
  ]);
  expect(decodeRecord(rawDoc(bytes))).toEqual({ problem: "nests too deeply" });
});
