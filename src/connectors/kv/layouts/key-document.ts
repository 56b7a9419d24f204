/** The one document of a collection that is a key's own, as dualsync or an application wrote it. */
import { type Element, elements, isNamed, TYPE } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { Doc } from "../../../model/document.ts";
import { idOfKey } from "../entry/key-id.ts";
import { RAW } from "../entry/string-value.ts";
import { writeDate, writeElement, writeRenamed } from "./records.ts";

/** Where the value is: in a field of one of these names, or in all fields but those of `BOOKKEEPING`. */
type ValueForm = "value" | "data" | "bare";

export interface KeyDocument {
  /** As the store holds it. */
  readonly doc: Doc;
  readonly form: ValueForm;
  /** Whether its `_id` or its `key` is the key. */
  readonly namesKey: boolean;
  /** What it says of the key, as a record of a string. */
  readonly record: Doc;
}

/** What an application that spreads a value over its document keeps beside it. */
const BOOKKEEPING = ["_id", "key", "updatedAt", "createdAt", "__v"];

/** Names that a value which is spread over a document cannot have without being taken for something else. */
const NOT_SPREAD = [...BOOKKEEPING, "value", "data"];

const EXPIRES_AT = "expiresAt";
const UPDATED_AT = "updatedAt";

/** What the only document of a collection says of the key of this name; or why it is none of the key's, in words that follow it. */
export function readKeyDocument(name: string, doc: Doc): KeyDocument | { readonly foreign: string } {
  const { bytes } = doc;
  const [id, key, value, data] = ["_id", "key", "value", "data"].map((field) => find(bytes, field));
  const names = (element: Element | undefined): boolean =>
    element !== undefined && isText(bytes, element, name);
  if (key?.type === TYPE.string && !names(key)) return { foreign: "holds a document of another key" };
  const form = value !== undefined ? "value" : data !== undefined ? "data" : "bare";
  const namesKey = names(id) || names(key);
  // Nothing else tells that it is a key's.
  if (form === "bare" && !namesKey)
    return { foreign: "holds a document that has neither `value` nor `data`" };
  return { doc, form, namesKey, record: recordOf(name, bytes, form) };
}

function find(bytes: Uint8Array, name: string): Element | undefined {
  for (const element of elements(bytes)) if (isNamed(bytes, element, name)) return element;
  return undefined;
}

function isText(bytes: Uint8Array, { type, start, end }: Element, text: string): boolean {
  return type === TYPE.string && Buffer.compare(bytes.subarray(start + 4, end - 1), Buffer.from(text)) === 0;
}

/** Fields that come twice are taken twice: such a record cannot be read. */
function recordOf(name: string, bytes: Uint8Array, form: ValueForm): Doc {
  const id = idOfKey(Buffer.from(name));
  const writer = new BsonWriter(bytes.length + name.length + 64);
  const start = writer.begin();
  writer.element(TYPE.string, "_id");
  writer.raw(id.element.subarray(1));
  writer.stringField("type", "string");
  if (form === "bare") writeSpread(writer, bytes);
  else
    for (const element of elements(bytes)) {
      if (isNamed(bytes, element, form)) writeRenamed(writer, "value", bytes, element);
      else if (isNamed(bytes, element, RAW) || isNamed(bytes, element, EXPIRES_AT))
        writeElement(writer, bytes, element);
    }
  writer.end(start);
  return { id, bytes: writer.written() };
}

/** Nothing where there is nothing but bookkeeping: that is no empty object. */
function writeSpread(writer: BsonWriter, bytes: Uint8Array): void {
  const members = [...elements(bytes)].filter((element) => !isOneOf(BOOKKEEPING, bytes, element));
  if (members.length === 0) return;
  writer.element(TYPE.object, "value");
  const start = writer.begin();
  for (const member of members) writeElement(writer, bytes, member);
  writer.end(start);
}

function isOneOf(names: readonly string[], bytes: Uint8Array, element: Element): boolean {
  return names.some((name) => isNamed(bytes, element, name));
}

/** What a record says of a string that is text: only that has a form in a document of its own. */
export interface TextRecord {
  readonly bytes: Uint8Array;
  readonly value: Element;
  readonly raw: Element | undefined;
  readonly expiresAt: Element | undefined;
}

/** Undefined for other types, and for bytes that are not text. */
export function textOfRecord({ bytes }: Doc): TextRecord | undefined {
  const [type, value, raw, expiresAt] = ["type", "value", RAW, EXPIRES_AT].map((name) => find(bytes, name));
  if (value === undefined || value.type === TYPE.binary) return undefined;
  if (type !== undefined && !isText(bytes, type, "string")) return undefined;
  return { bytes, value, raw, expiresAt };
}

/** The document of a key that has none. */
export function newKeyDocument(name: string, record: TextRecord, now: Date): Doc {
  const id = idOfKey(Buffer.from(name));
  const writer = new BsonWriter(record.bytes.length + 2 * name.length + 64);
  const start = writer.begin();
  writer.element(TYPE.string, "_id");
  writer.raw(id.element.subarray(1));
  writer.stringField("key", name);
  writeValue(writer, "value", record);
  writeDate(writer, UPDATED_AT, now);
  writer.end(start);
  return { id, bytes: writer.written() };
}

/** The document with another value: its `_id`, its form, and all fields that say nothing of the key stay. */
export function changedKeyDocument({ doc, form }: KeyDocument, record: TextRecord, now: Date): Doc {
  const { bytes } = doc;
  const writer = new BsonWriter(bytes.length + record.bytes.length + 64);
  const start = writer.begin();
  if (form === "bare") writeBare(writer, bytes, record, now);
  else
    for (const element of elements(bytes)) {
      if (isNamed(bytes, element, form)) writeValue(writer, form, record);
      else if (!isOneOf([RAW, EXPIRES_AT], bytes, element)) writeKept(writer, bytes, element, now);
    }
  writer.end(start);
  return { id: doc.id, bytes: writer.written() };
}

/** What cannot be spread over the document stands in its `value` from then on. */
function writeBare(writer: BsonWriter, bytes: Uint8Array, record: TextRecord, now: Date): void {
  for (const element of elements(bytes))
    if (isOneOf(BOOKKEEPING, bytes, element)) writeKept(writer, bytes, element, now);
  if (!canBeSpread(record)) writeValue(writer, "value", record);
  else
    for (const member of elements(record.bytes, record.value.start))
      writeElement(writer, record.bytes, member);
}

function canBeSpread({ bytes, value, raw, expiresAt }: TextRecord): boolean {
  if (value.type !== TYPE.object || raw !== undefined || expiresAt !== undefined) return false;
  const members = [...elements(bytes, value.start)];
  return members.length > 0 && !members.some((member) => isOneOf(NOT_SPREAD, bytes, member));
}

function writeValue(writer: BsonWriter, name: string, { bytes, value, raw, expiresAt }: TextRecord): void {
  writeRenamed(writer, name, bytes, value);
  for (const element of [raw, expiresAt]) if (element !== undefined) writeElement(writer, bytes, element);
}

/** A time of the last change follows it, in its own form. */
function writeKept(writer: BsonWriter, bytes: Uint8Array, element: Element, now: Date): void {
  if (!isNamed(bytes, element, UPDATED_AT)) writeElement(writer, bytes, element);
  else if (element.type === TYPE.date) writeDate(writer, UPDATED_AT, now);
  else if (element.type === TYPE.string) writer.stringField(UPDATED_AT, now.toISOString());
  else writeElement(writer, bytes, element);
}
