/** Records of keys as a store holds them, among fields of others. */
import { type Element, elements, isNamed, TYPE } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { Doc } from "../../../model/document.ts";
import { decodeRecord } from "../entry/decode-record.ts";
import { encodeRecord, RECORD_FIELDS } from "../entry/encode-record.ts";

/** The collection of the records, and the name of the one collection that a KV store and its copy have. */
export const RECORDS = "kv_records";

/** When dualsync wrote a record, for people. */
const SYNCED_AT = "syncedAt";

const OWN_FIELDS: readonly string[] = [...RECORD_FIELDS, SYNCED_AT];

/** A document as the layout shows it. */
export interface ShownRecord {
  readonly doc: Doc;
  /** Why it cannot be read, in words that follow it. */
  readonly problem?: string | undefined;
}

/**
 * The document as a KV store makes it of the same key. As it is where it cannot be read, or says something that no key can: then
 * that is named by whoever asks what it says.
 */
export function shownRecord(doc: Doc): ShownRecord {
  const found = decodeRecord(doc);
  if ("problem" in found) return { doc, problem: found.problem };
  if (found.losses.length > 0) return { doc };
  const encoded = encodeRecord(found.entry);
  return { doc: "problem" in encoded ? doc : encoded };
}

/** What is to be stored: the record, when that was, and the fields of the document there that are somebody else's. */
export function storedRecord({ id, bytes }: Doc, there: Doc | undefined, now: Date): Doc {
  const writer = new BsonWriter(bytes.length + (there?.bytes.length ?? 0) + 32);
  const start = writer.begin();
  for (const element of elements(bytes))
    if (RECORD_FIELDS.some((name) => isNamed(bytes, element, name))) writeElement(writer, bytes, element);
  writeDate(writer, SYNCED_AT, now);
  if (there !== undefined)
    for (const element of elements(there.bytes))
      if (!OWN_FIELDS.some((name) => isNamed(there.bytes, element, name)))
        writeElement(writer, there.bytes, element);
  writer.end(start);
  return { id, bytes: writer.written() };
}

/** An element as it is. */
export function writeElement(writer: BsonWriter, bytes: Uint8Array, { nameStart, end }: Element): void {
  writer.raw(bytes.subarray(nameStart - 1, end));
}

/** The value of an element under another name. */
export function writeRenamed(
  writer: BsonWriter,
  name: string,
  bytes: Uint8Array,
  { type, start, end }: Element,
): void {
  writer.element(type, name);
  writer.raw(bytes.subarray(start, end));
}

export function writeDate(writer: BsonWriter, name: string, date: Date): void {
  writer.element(TYPE.date, name);
  writer.int64(date.getTime());
}
