import { Double, deserialize, Long } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contents } from "../../../../src/connectors/kv/entry/contents.ts";
import { encodeRecord } from "../../../../src/connectors/kv/entry/encode-record.ts";
import type { EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { mapping } from "../../../../src/connectors/kv/entry/mapping.ts";
import { saySame } from "../../../../src/connectors/kv/entry/say-same.ts";
import type { Doc } from "../../../../src/model/document.ts";
import { doc, rawDoc } from "../../../support/data/documents.ts";
import { anyContent, anyEntry } from "./entry-arbitraries.ts";

function string(text: string): EntryValue {
  return { type: "string", value: Buffer.from(text) };
}

function record(content: EntryValue, expiresAt?: number): Doc {
  const found = encodeRecord({ key: Buffer.from("k"), content, expiresAt });
  if ("problem" in found) throw new Error(found.problem);
  return found;
}

describe("two contents say the same", () => {
  it("when they are the same, of whatever type, and of one type alone", () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        expect(saySame(content, structuredClone(content))).toBe(true);
        if (content.type === "string")
          expect(saySame(content, { type: "list", value: [content.value] })).toBe(false);
      }),
    );
  });

  it.each([
    ['{"a":1}', '{ "a": 1.0 }'],
    ["[1e2]", "[100]"],
    ["[12345678901234567890.0]", "[12345678901234567890]"],
    ['["\\u0041\\/"]', '["A/"]'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ["-0", "0"],
    [" null", "null"],
  ])("%s and %s do", (a, b) => {
    expect(saySame(string(a), string(b))).toBe(true);
    expect(saySame({ type: "json", value: Buffer.from(a) }, { type: "json", value: Buffer.from(b) })).toBe(
      true,
    );
  });

  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ["[12345678901234567890]", "[12345678901234567891]"],
    ["[1,2]", "[1]"],
    ['["1"]', "[1]"],
    ["null", "false"],
    ["[]", "{}"],
    ['"q"', ' "q"'],
    ['"q"', "q"],
    ["q", "q "],
    ["{a}", "{a} "],
  ])("%s and %s do not", (a, b) => {
    expect(saySame(string(a), string(b))).toBe(false);
  });

  it("bytes that are not UTF-8 only when they are the same", () => {
    const of = (...bytes: number[]): EntryValue => ({
      type: "string",
      value: Buffer.of(0x5b, ...bytes, 0x5d),
    });
    expect(saySame(of(0xff), of(0x20, 0xff))).toBe(false);
    expect(saySame(of(0xff), of(0xff))).toBe(true);
  });
});

describe("the content of a record", () => {
  it("has a hash without its time of expiry", () => {
    const [one, other] = [record(string("x")), record(string("x"), 5000)];
    expect(contents.of(one)).toMatchObject({ expiresAt: undefined, losses: [] });
    expect(contents.of(other)).toEqual({ ...contents.of(one), expiresAt: 5000 });
  });

  it("says the same as what an application wrote back", () => {
    const one = record(string('{ "n": 1, "big": 12345678901 }'));
    const other = doc({
      ...deserialize(one.bytes),
      value: { n: new Double(1), big: Long.fromNumber(12345678901) },
    });
    expect(contents.saysSame(one, other)).toBe(true);
    const changed = doc({ ...deserialize(one.bytes), value: { n: 1, big: 12345678902 } });
    expect(contents.saysSame(one, changed)).toBe(false);
  });

  it("with another time of expiry is the record of that entry", () => {
    fc.assert(
      fc.property(
        anyEntry,
        fc.option(fc.integer({ min: 1, max: 9e15 }), { nil: undefined }),
        (entry, expiresAt) => {
          const [one, other] = [encodeRecord(entry), encodeRecord({ ...entry, expiresAt })];
          if ("problem" in one || "problem" in other) throw new Error("no record");
          expect(Buffer.from(contents.withExpiry(one, expiresAt).bytes).toString("hex")).toBe(
            Buffer.from(other.bytes).toString("hex"),
          );
        },
      ),
    );
  });

  it("keeps fields of others when its time of expiry changes", () => {
    const one = doc({ _id: "k", note: 1, expiresAt: new Date(1), value: "x", __v: 2 });
    expect(deserialize(contents.withExpiry(one, 5000).bytes)).toEqual({
      _id: "k",
      note: 1,
      expiresAt: new Date(5000),
      value: "x",
      __v: 2,
    });
    expect(deserialize(contents.withExpiry(one, undefined).bytes)).toEqual({
      _id: "k",
      note: 1,
      value: "x",
      __v: 2,
    });
  });
});

describe("a record and a document of somebody else", () => {
  const own = record(string('{"a":1}'), 10_000);

  it("are equivalent when they say the same and expire within two seconds", () => {
    const of = (fields: Record<string, unknown>): Doc => doc({ _id: "k", value: { a: 1 }, ...fields });
    expect(mapping.classify("kv_records", own, of({ expiresAt: new Date(12_000), __v: 0 }))).toBe(
      "equivalent",
    );
    expect(mapping.classify("kv_records", own, of({ expiresAt: new Date(12_001) }))).toBe("different");
    expect(mapping.classify("kv_records", own, of({}))).toBe("different");
    expect(mapping.classify("kv_records", own, of({ expiresAt: "never" }))).toBe("different");
  });

  it("differ in fields that are named", () => {
    const of = (fields: Record<string, unknown>): readonly string[] | undefined =>
      mapping.differing("kv_records", own, doc({ _id: "k", ...fields }));
    expect(of({ value: { a: 1 }, expiresAt: new Date(10_000) })).toEqual([]);
    expect(of({ value: { a: 2 } })).toEqual(["value", "expiresAt"]);
    expect(of({ type: "list", value: ["x"], expiresAt: new Date(10_000) })).toEqual(["type", "value"]);
    expect(of({ type: "list", value: [] })).toBeUndefined();
  });

  it("become the record with the fields that mean nothing here", () => {
    const other = doc({ __v: 3, _id: "k", type: "list", value: ["x"], raw: "y", hash: "z", note: { a: 1 } });
    const merged = mapping.merged("kv_records", own, other);
    expect(deserialize(merged.bytes)).toEqual({ ...deserialize(own.bytes), __v: 3, note: { a: 1 } });
    expect(rawDoc(merged.bytes).id.key).toBe(own.id.key);
    expect(mapping.merged("kv_records", own, own).bytes).toEqual(own.bytes);
  });
});
