/** Entries of a KV store as documents: `{ _id, type, value, raw?, expiresAt?, hash }`. */
import { TYPE } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { Doc } from "../../../model/document.ts";
import type { Unreadable } from "../../powers/contents.ts";
import { writeBytes } from "./bytes-bson.ts";
import { contentHash } from "./content-hash.ts";
import type { Entry, EntryValue, FieldValue, StreamContent } from "./entry.ts";
import { idOfKey } from "./key-id.ts";
import { NotAnEntry, notAnEntry } from "./not-an-entry.ts";
import { RAW, writeString } from "./string-value.ts";

/** Servers take documents of 16 MB, and commands need room beside them. */
export const LARGEST_RECORD = 15 * 1024 * 1024;

/** The fields that say what a key holds and until when; all others are somebody else's. */
export const RECORD_FIELDS = ["_id", "type", "value", RAW, "expiresAt", "hash"] as const;

/** The same bytes for the same entry, always; a problem for one that no document can hold. */
export function encodeRecord({ key, content, expiresAt }: Entry): Doc | Unreadable {
  const id = idOfKey(key);
  const writer = new BsonWriter(key.length + 256);
  const start = writer.begin();
  writer.element(id.element[0] as number, "_id");
  writer.raw(id.element.subarray(1));
  writer.stringField("type", content.type);
  try {
    writeValue(writer, content);
  } catch (error) {
    if (error instanceof NotAnEntry) return { problem: error.problem };
    throw error;
  }
  if (expiresAt !== undefined) writeExpiry(writer, expiresAt);
  writer.stringField("hash", contentHash(content));
  writer.end(start);
  return writer.length > LARGEST_RECORD ? { problem: TOO_LARGE } : { id, bytes: writer.written() };
}

const TOO_LARGE = "is larger than the 15 MB that a document has room for";

/** The field with the time of expiry. */
export function writeExpiry(writer: BsonWriter, expiresAt: number): void {
  writer.element(TYPE.date, "expiresAt");
  writer.int64(expiresAt);
}

function writeValue(writer: BsonWriter, content: EntryValue): void {
  switch (content.type) {
    case "string":
    case "json":
      mustFit(content.value.length);
      writeString(writer, "value", content.value);
      break;
    case "hash":
      writeFields(writer, "value", content.value);
      break;
    case "list":
    case "set":
      writeArray(writer, "value", content.value, (name, member) => writeBytes(writer, name, member));
      break;
    case "zset":
      writeArray(writer, "value", content.value, (name, [member, score]) => {
        writer.element(TYPE.object, name);
        const start = writer.begin();
        writeBytes(writer, "m", member);
        writer.element(TYPE.double, "s");
        // The servers keep -0 as 0.
        writer.double(score + 0);
        writer.end(start);
      });
      break;
    case "stream":
      writeStream(writer, content.value);
  }
}

function writeFields(writer: BsonWriter, name: string, fields: readonly FieldValue[]): void {
  writeArray(writer, name, fields, (place, [field, value]) => {
    writer.element(TYPE.object, place);
    const start = writer.begin();
    writeBytes(writer, "f", field);
    writeBytes(writer, "v", value);
    writer.end(start);
  });
}

function writeStream(writer: BsonWriter, { entries, lastId }: StreamContent): void {
  writer.element(TYPE.object, "value");
  const start = writer.begin();
  writeArray(writer, "entries", entries, (name, { id, fields }) => {
    writer.element(TYPE.object, name);
    const entryStart = writer.begin();
    writer.stringField("id", id);
    writeFields(writer, "fields", fields);
    writer.end(entryStart);
  });
  writer.stringField("lastId", lastId);
  writer.end(start);
}

function writeArray<T>(
  writer: BsonWriter,
  name: string,
  items: readonly T[],
  write: (name: string, item: T) => void,
): void {
  writer.element(TYPE.array, name);
  const start = writer.begin();
  for (let at = 0; at < items.length; at++) {
    write(String(at), items[at] as T);
    mustFit(writer.length);
  }
  writer.end(start);
}

function mustFit(size: number): void {
  if (size > LARGEST_RECORD) notAnEntry(TOO_LARGE);
}
