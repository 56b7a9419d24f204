import { elements, isNamed } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { Doc } from "../../../model/document.ts";
import type { Mapping } from "../../powers/mapping.ts";
import { decodeRecord } from "./decode-record.ts";
import { RECORD_FIELDS } from "./encode-record.ts";
import { saySame } from "./say-same.ts";

/** Times of expiry that differ by no more milliseconds than this are one: stores count from clocks of their own. */
const EXPIRY_TOLERANCE = 2000;

/** How records of a KV store's keys stand to documents that others wrote. */
export const mapping: Mapping = {
  classify(_collection, own, other) {
    return differingFields(own, other)?.length === 0 ? "equivalent" : "different";
  },

  differing(_collection, own, other) {
    return differingFields(own, other);
  },

  merged(_collection, own, other) {
    const writer = new BsonWriter(own.bytes.length + other.bytes.length);
    const start = writer.begin();
    writer.raw(own.bytes.subarray(4, own.bytes.length - 1));
    for (const element of elements(other.bytes)) {
      if (RECORD_FIELDS.some((name) => isNamed(other.bytes, element, name))) continue;
      writer.raw(other.bytes.subarray(element.nameStart - 1, element.end));
    }
    writer.end(start);
    return { id: own.id, bytes: writer.written() };
  },
};

function differingFields(own: Doc, other: Doc): readonly string[] | undefined {
  const [ours, theirs] = [decodeRecord(own), decodeRecord(other)];
  if ("problem" in ours || "problem" in theirs) return undefined;
  const [a, b] = [ours.entry, theirs.entry];
  const names: string[] = [];
  if (a.content.type !== b.content.type) names.push("type");
  if (!saySame(a.content, b.content)) names.push("value");
  if (!isSameExpiry(a.expiresAt, b.expiresAt)) names.push("expiresAt");
  return names;
}

function isSameExpiry(a: number | undefined, b: number | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Math.abs(a - b) <= EXPIRY_TOLERANCE);
}
