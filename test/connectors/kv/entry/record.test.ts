import { Binary, Decimal128, Double, deserialize, Int32, Long, ObjectId } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { contentHash } from "../../../../src/connectors/kv/entry/content-hash.ts";
import { decodeRecord } from "../../../../src/connectors/kv/entry/decode-record.ts";
import { encodeRecord, LARGEST_RECORD } from "../../../../src/connectors/kv/entry/encode-record.ts";
import type { Entry, EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { idOfKey, keyOfId } from "../../../../src/connectors/kv/entry/key-id.ts";
import { type Doc, DocumentId } from "../../../../src/model/document.ts";
import { text as bsonText, element } from "../../../bson/bson-bytes.ts";
import { anyId } from "../../../bson/id-arbitraries.ts";
import { doc, id, rawDoc } from "../../../support/data/documents.ts";
import { anyContent, anyEntry } from "./entry-arbitraries.ts";

const RUNS = process.env.DUALSYNC_TEST_LONG === undefined ? 300 : 20_000;

function record(entry: Entry): Doc {
  const found = encodeRecord(entry);
  if ("problem" in found) throw new Error(found.problem);
  return found;
}

function text(content: EntryValue["value"] | undefined): string {
  return Buffer.from(content as Uint8Array).toString();
}

/** Bytes in hex, so that two entries can be compared. */
function plain(part: unknown): unknown {
  if (part instanceof Uint8Array) return Buffer.from(part).toString("hex");
  if (Array.isArray(part)) return part.map(plain);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, plain(inner)]));
}

function decoded(document: Doc): Entry {
  const found = decodeRecord(document);
  if ("problem" in found) throw new Error(found.problem);
  return found.entry;
}

/** What becomes of a document that an application wrote. */
function read(fields: Record<string, unknown>): unknown {
  const found = decodeRecord(doc({ _id: "k", ...fields }));
  return "problem" in found ? found.problem : plain({ ...found.entry, key: Buffer.alloc(0) });
}

describe("records", () => {
  it("every entry comes back from its record as it was, and nothing is lost", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const document = record(entry);
        const found = decodeRecord(document);
        expect("problem" in found ? found.problem : plain(found.entry)).toEqual(plain(entry));
        expect(found).toMatchObject({ losses: [] });
        expect(record(decoded(document)).bytes).toEqual(document.bytes);
        expect(rawDoc(document.bytes).id.key).toBe(document.id.key);
      }),
      { numRuns: RUNS },
    );
  });

  it("a record is a document that people and queries can read", () => {
    const content = { type: "string", value: Buffer.from('{"plan": "pro", "seats": 12}') } as const;
    const expiresAt = Date.UTC(2030, 0, 2);
    const { bytes } = record({ key: Buffer.from("pro_users"), content, expiresAt });
    const found = deserialize(bytes, { promoteValues: false });
    expect(Object.keys(found)).toEqual(["_id", "type", "value", "raw", "expiresAt", "hash"]);
    expect(found).toEqual({
      _id: "pro_users",
      type: "string",
      value: { plan: "pro", seats: new Int32(12) },
      raw: '{"plan": "pro", "seats": 12}',
      expiresAt: new Date(expiresAt),
      hash: contentHash(content),
    });
  });

  it.each<[EntryValue["type"], EntryValue["value"], unknown]>([
    ["hash", [[Buffer.from("f"), Buffer.of(255)]], [{ f: "f", v: new Binary(Buffer.of(255)) }]],
    ["list", [Buffer.from("5"), Buffer.from("")], ["5", ""]],
    ["set", [Buffer.from("a"), Buffer.from("b")], ["a", "b"]],
    ["zset", [[Buffer.from("m"), Number.NEGATIVE_INFINITY]], [{ m: "m", s: new Double(-Infinity) }]],
    [
      "stream",
      { entries: [{ id: "1-0", fields: [[Buffer.from("f"), Buffer.from("v")]] }], lastId: "2-5" },
      { entries: [{ id: "1-0", fields: [{ f: "f", v: "v" }] }], lastId: "2-5" },
    ],
    ["json", Buffer.from('{"a":[1]}'), { a: [new Int32(1)] }],
  ])("a %s has a value of its own form", (type, value, form) => {
    const { bytes } = record({
      key: Buffer.from("k"),
      content: { type, value } as EntryValue,
      expiresAt: undefined,
    });
    const found = deserialize(bytes, { promoteValues: false });
    expect(Object.keys(found)).toEqual(["_id", "type", "value", "hash"]);
    expect(found).toMatchObject({ type, value: form });
  });

  it("an entry that a document has no room for is a problem, of whatever type", () => {
    const big = Buffer.alloc(LARGEST_RECORD, "a");
    const contents: EntryValue[] = [
      { type: "string", value: big },
      { type: "list", value: [big.subarray(0, 9_000_000), big.subarray(0, 9_000_000)] },
    ];
    for (const content of contents)
      expect(encodeRecord({ key: Buffer.from("k"), content, expiresAt: undefined })).toEqual({
        problem: "is larger than the 15 MB that a document has room for",
      });
  });

  it.each([
    ["of many parts", `[${"1,".repeat(3_000_000)}1]`],
    ["that needs its text beside it", `[ "${"x".repeat(7_000_000)}"]`],
  ])("JSON %s, too large as a value, is kept as its text", (_what, long) => {
    const value = Buffer.from(long);
    const { bytes } = record({
      key: Buffer.from("k"),
      content: { type: "string", value },
      expiresAt: undefined,
    });
    expect(bytes.length).toBeLessThan(value.length + 200);
    expect(Buffer.compare(value, decoded(rawDoc(bytes)).content.value as Uint8Array)).toBe(0);
  });
});

describe("ids of keys", () => {
  it("every key has an id of its own, from which it comes back", () => {
    fc.assert(
      fc.property(anyEntry, ({ key }) => {
        expect(keyOfId(idOfKey(key))).toEqual(Uint8Array.from(key));
      }),
      { numRuns: RUNS },
    );
  });

  it("no two ids are one key: an id that comes back as another one is no key's", () => {
    fc.assert(
      fc.property(anyId, (value) => {
        const one = new DocumentId(element(value));
        const key = keyOfId(one);
        if (key !== undefined) expect(idOfKey(key).key).toBe(one.key);
      }),
      { numRuns: RUNS },
    );
    const notUtf8 = element(bsonText(TYPE.string, Buffer.of(0xff)));
    expect(keyOfId(new DocumentId(notUtf8))).toBeUndefined();
    for (const value of [
      5,
      new ObjectId(),
      null,
      new Binary(Buffer.from("text")),
      new Binary(Buffer.of(255), 4),
    ])
      expect(keyOfId(id(value))).toBeUndefined();
  });
});

describe("the hash of a content", () => {
  it("is the same exactly when the content is", () => {
    fc.assert(
      fc.property(anyContent, anyContent, (one, other) => {
        const same = JSON.stringify(plainContent(one)) === JSON.stringify(plainContent(other));
        expect(contentHash(one) === contentHash(other)).toBe(same);
        expect(contentHash(structuredClone(one))).toBe(contentHash(one));
      }),
      { numRuns: RUNS },
    );
  });

  it("tells apart pieces that read alike one after another", () => {
    const [a, b, ab, none] = ["a", "b", "ab", ""].map((piece) => Buffer.from(piece)) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const contents: EntryValue[] = [
      { type: "list", value: [a, b] },
      { type: "list", value: [b, a] },
      { type: "list", value: [ab] },
      { type: "list", value: [ab, none] },
      { type: "list", value: [none, ab] },
      { type: "set", value: [a, b] },
      { type: "hash", value: [[a, b]] },
      { type: "string", value: ab },
      { type: "json", value: ab },
      { type: "stream", value: { entries: [], lastId: "1-1" } },
      { type: "stream", value: { entries: [], lastId: "1-2" } },
      streamOf(["1-1", "a b"], ["1-2", "a b"], ["1-3", "a b"]),
      streamOf(["1-1", "a b 1-2 a b 1-3 a b"]),
    ];
    expect(new Set(contents.map(contentHash)).size).toBe(contents.length);
  });

  it("holds 0 and -0 for one score, as the servers do", () => {
    const of = (score: number): EntryValue => ({ type: "zset", value: [[Buffer.from("m"), score]] });
    expect(contentHash(of(-0))).toBe(contentHash(of(0)));
    const entry = { key: Buffer.from("k"), expiresAt: undefined };
    expect(record({ ...entry, content: of(-0) })).toEqual(record({ ...entry, content: of(0) }));
  });
});

/** A stream of entries with these ids and pieces: field, value, field, value… */
function streamOf(...entries: readonly (readonly [id: string, pieces: string])[]): EntryValue {
  const value = entries.map(([entryId, pieces]) => {
    const parts = pieces.split(" ").map((piece) => Buffer.from(piece));
    const fields = parts.flatMap((field, at) =>
      at % 2 === 0 ? [[field, parts[at + 1] as Buffer] as const] : [],
    );
    return { id: entryId, fields };
  });
  return { type: "stream", value: { entries: value, lastId: "1-9" } };
}

function plainContent(content: EntryValue): unknown {
  return plain({ key: Buffer.alloc(0), content, expiresAt: undefined });
}

describe("records that an application wrote", () => {
  it("a document that says nothing of its type is a string", () => {
    expect(read({ value: "5" })).toEqual(
      plain({
        key: Buffer.alloc(0),
        content: { type: "string", value: Buffer.from("5") },
        expiresAt: undefined,
      }),
    );
  });

  it("fields of its own, another type of number and a stale hash do not count", () => {
    const content = { type: "zset", value: [[Buffer.from("m"), 5]] } as const;
    const { expiresAt } = { expiresAt: Date.UTC(2030, 0, 1) };
    const zero = { type: "zset", value: [{ m: "m", s: new Double(-0) }] };
    expect(read(zero)).toMatchObject({ content: { value: [["6d", 0]] } });
    for (const s of [5, new Double(5), Long.fromNumber(5), Decimal128.fromString("5.0")])
      expect(
        read({
          __v: 0,
          type: "zset",
          value: [{ m: "m", s, note: "x" }],
          expiresAt: new Date(expiresAt),
          hash: "old",
        }),
      ).toEqual(plain({ key: Buffer.alloc(0), content, expiresAt }));
  });

  it("members come back in the order that entries have them", () => {
    const set = { type: "set", value: ["b", "", "a", new Binary(Buffer.of(0x80))] };
    expect(read(set)).toMatchObject({ content: { value: ["", "61", "62", "80"] } });
    const hash = {
      type: "hash",
      value: [
        { f: "b", v: "1" },
        { v: "2", f: "a" },
      ],
    };
    expect(read(hash)).toMatchObject({
      content: {
        value: [
          ["61", "32"],
          ["62", "31"],
        ],
      },
    });
    const zset = {
      type: "zset",
      value: [
        { m: "b", s: 1 },
        { m: "c", s: -Infinity },
        { m: "a", s: 1 },
      ],
    };
    expect(read(zset)).toMatchObject({
      content: {
        value: [
          ["63", Number.NEGATIVE_INFINITY],
          ["61", 1],
          ["62", 1],
        ],
      },
    });
  });

  it("a member that is no text stands for its JSON", () => {
    const found = decodeRecord(
      doc({ _id: "k", type: "list", value: [5, { a: [null] }, new Date(0), Number.NaN] }),
    );
    expect(found).toMatchObject({ losses: ["a number that is not finite, which is null in JSON"] });
    const members = "entry" in found ? (found.entry.content.value as Uint8Array[]).map(text) : [];
    expect(members).toEqual(["5", '{"a":[null]}', '"1970-01-01T00:00:00.000Z"', "null"]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["no value", {}, "has no `value`"],
    ["a type that is not known", { type: "vectorset", value: "x" }, "has a `type` that is not known"],
    ["a type that is no text", { type: 5, value: "x" }, "has a `type` that is not known"],
    ["a list of a hash", { type: "list", value: { a: 1 } }, "has a `value` that is not that of a list"],
    [
      "a hash without values",
      { type: "hash", value: [{ f: "a" }] },
      "has a `value` that is not that of a hash",
    ],
    [
      "a field that comes twice",
      {
        type: "hash",
        value: [
          { f: "a", v: "1" },
          { f: "a", v: "2" },
        ],
      },
      "has a member that comes twice",
    ],
    [
      "a member that comes twice",
      {
        type: "zset",
        value: [
          { m: "a", s: 1 },
          { m: "a", s: 2 },
        ],
      },
      "has a member that comes twice",
    ],
    ["an empty list", { type: "list", value: [] }, "has an empty `value`, and no key holds nothing"],
    [
      "a score that is NaN",
      { type: "zset", value: [{ m: "a", s: Number.NaN }] },
      "has a score that is not a number",
    ],
    [
      "a score that is text",
      { type: "zset", value: [{ m: "a", s: "1" }] },
      "has a score that is not a number",
    ],
    [
      "a score of too many digits",
      { type: "zset", value: [{ m: "a", s: Decimal128.fromString("0.1") }] },
      "has a score that would be rounded",
    ],
    ["text for JSON", { type: "json", value: "text" }, "has a `value` that is not JSON"],
    [
      "an expiry that is text",
      { value: "x", expiresAt: "2030-01-01" },
      "has an `expiresAt` that is not a date",
    ],
    [
      "a stream out of order",
      {
        type: "stream",
        value: {
          entries: [
            { id: "2-1", fields: [{ f: "a", v: "b" }] },
            { id: "2-1", fields: [{ f: "a", v: "b" }] },
          ],
          lastId: "3-0",
        },
      },
      "has entries that are not in the order of their ids",
    ],
    [
      "a stream behind its last id",
      { type: "stream", value: { entries: [{ id: "2-1", fields: [{ f: "a", v: "b" }] }], lastId: "2-0" } },
      "has an entry after its `lastId`",
    ],
    [
      "an id that is none",
      { type: "stream", value: { entries: [{ id: "02-1", fields: [{ f: "a", v: "b" }] }], lastId: "2-0" } },
      "has an entry whose id is none",
    ],
    [
      "an id that is too large",
      { type: "stream", value: { entries: [], lastId: `${2n ** 64n}-0` } },
      "has an entry whose id is none",
    ],
  ])("%s makes it unreadable", (_what, fields, problem) => {
    expect(read(fields)).toBe(problem);
  });

  it("an id that no key has makes it unreadable", () => {
    expect(decodeRecord(doc({ _id: new ObjectId(), value: "x" }))).toEqual({
      problem: "is not an id that a key has",
    });
  });
});
