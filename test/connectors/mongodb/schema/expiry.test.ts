import { Decimal128, type Document, Double, Int32, Long, serialize } from "bson";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { toOrdered } from "../../../../src/bson/ordered.ts";
import type { Metadata } from "../../../../src/connectors/collection.ts";
import { expiredUnder } from "../../../../src/connectors/mongodb/schema/expiry.ts";
import * as bson from "../../../bson/bson-bytes.ts";

const now = new Date("2026-03-01T12:00:00Z");
const hour = 3_600;

function ago(seconds: number): Date {
  return new Date(now.getTime() - seconds * 1_000);
}

function index(
  key: Document,
  expireAfterSeconds: unknown = new Int32(hour),
  others: Document = {},
): Metadata {
  return toOrdered(serialize({ v: 2, key, name: "ttl", expireAfterSeconds, ...others }));
}

function isExpired(document: Document, ...indexes: Metadata[]): boolean {
  return expiredUnder(serialize(document), indexes, now);
}

describe("expiredUnder", () => {
  it("returns true from the instant at which a server may delete the document", () => {
    expect(isExpired({ at: ago(hour) }, index({ at: 1 }))).toBe(true);
    expect(isExpired({ at: ago(hour - 0.001) }, index({ at: 1 }))).toBe(false);
    expect(isExpired({ at: ago(hour) }, index({ at: -1 }))).toBe(true);
    expect(isExpired({ at: ago(0) }, index({ at: 1 }, new Int32(0)))).toBe(true);
    const first = bson.documentBytes([["at", bson.eightBytes(TYPE.date, -(2n ** 63n))]]);
    expect(expiredUnder(first, [index({ at: 1 })], now)).toBe(true);
  });

  it("applies any of the indexes, and ignores flags that do not prevent expiry", () => {
    const other = index({ other: 1 });
    expect(isExpired({ at: ago(hour) }, other, index({ at: 1 }))).toBe(true);
    expect(isExpired({ at: ago(hour) }, other)).toBe(false);
    expect(
      isExpired({ at: ago(hour) }, index({ at: 1 }, Long.fromNumber(hour), { sparse: true, hidden: true })),
    ).toBe(true);
    expect(isExpired({ at: ago(hour) })).toBe(false);
  });

  it("uses the earliest date of an array, and nothing but dates", () => {
    expect(isExpired({ at: [ago(0), 5, ago(2 * hour)] }, index({ at: 1 }))).toBe(true);
    expect(isExpired({ at: [ago(0), [ago(2 * hour)]] }, index({ at: 1 }))).toBe(false);
    for (const at of ["2001-01-01", 0, null, Long.fromNumber(5), { at: ago(2 * hour) }, []])
      expect(isExpired({ at }, index({ at: 1 }))).toBe(false);
    expect(isExpired({}, index({ at: 1 }))).toBe(false);
  });

  it("follows an indexed path through objects and arrays", () => {
    const old = ago(2 * hour);
    expect(isExpired({ a: { é: old } }, index({ "a.é": 1 }))).toBe(true);
    expect(isExpired({ a: [{ b: ago(0) }, { b: [old] }] }, index({ "a.b": 1 }))).toBe(true);
    expect(isExpired({ a: [ago(0), old] }, index({ "a.1": 1 }))).toBe(true);
    expect(isExpired({ a: [old, ago(0)] }, index({ "a.1": 1 }))).toBe(false);
    expect(isExpired({ "a.b": old }, index({ "a.b": 1 }))).toBe(false);
    expect(isExpired({ a: [[{ b: old }]] }, index({ "a.b": 1 }))).toBe(false);
  });

  it("returns false under an index that does not delete documents, or may not", () => {
    const document = { _id: ago(2 * hour), at: ago(2 * hour) };
    const seconds = new Int32(hour);
    const keys = [{ at: 1, b: 1 }, { _id: 1 }, { at: "hashed" }, { at: "text" }];
    for (const key of keys) expect(isExpired(document, index(key)), JSON.stringify(key)).toBe(false);
    const partial = { partialFilterExpression: { at: { $exists: true } } };
    expect(isExpired(document, index({ at: 1 }, seconds, partial))).toBe(false);
    expect(isExpired(document, toOrdered(serialize({ key: { at: 1 }, name: "plain" })))).toBe(false);
  });

  it("returns false for values of expireAfterSeconds on which servers disagree", () => {
    const ancient = { at: new Date(-8.64e15) };
    for (const seconds of [
      new Double(NaN),
      new Int32(-1),
      new Double(1e300),
      Long.fromNumber(2 ** 31),
      "60",
      true,
      null,
    ])
      expect(isExpired(ancient, index({ at: 1 }, seconds)), String(seconds)).toBe(false);
    for (const seconds of [new Int32(2 ** 31 - 1), new Double(60.5), Decimal128.fromString("60")])
      expect(isExpired(ancient, index({ at: 1 }, seconds)), String(seconds)).toBe(true);
    expect(isExpired({ at: ago(60) }, index({ at: 1 }, new Double(60.9)))).toBe(true);
  });

  it("applies expireAfterSeconds of a clustered collection to a date as _id", () => {
    const clusteredIndex = { v: 2, key: { _id: 1 }, name: "_id_", unique: true };
    const options = (others: Document): Metadata => toOrdered(serialize(others));
    const expires = { expireAfterSeconds: Long.fromNumber(hour) };
    const due = (document: Document, of: Document): boolean =>
      expiredUnder(serialize(document), [], now, options(of));
    expect(due({ _id: ago(hour) }, { clusteredIndex, ...expires })).toBe(true);
    expect(due({ _id: ago(hour - 1) }, { clusteredIndex, ...expires })).toBe(false);
    expect(due({ _id: 1, at: ago(hour) }, { clusteredIndex, ...expires })).toBe(false);
    expect(due({ _id: ago(hour) }, { clusteredIndex })).toBe(false);
    expect(due({ _id: ago(hour) }, expires)).toBe(false);
    for (const of of [{ capped: true }, { timeseries: { timeField: "at" } }])
      expect(expiredUnder(serialize({ at: ago(hour) }), [index({ at: 1 })], now, options(of))).toBe(false);
  });

  it("returns false for bytes that cannot be read", () => {
    const bytes = serialize({ a: 1, at: ago(2 * hour) });
    expect(expiredUnder(bytes, [index({ at: 1 })], now)).toBe(true);
    expect(expiredUnder(bytes.subarray(0, -1), [index({ at: 1 })], now)).toBe(false);
    expect(expiredUnder(new Uint8Array(), [index({ at: 1 })], now)).toBe(false);
  });
});
