import { compareNumbers } from "../../../bson/compare-numbers.ts";
import { readDecimal128 } from "../../../bson/decimal128.ts";
import { type Element, elements, readInt32, TYPE } from "../../../bson/elements.ts";
import { readDouble, readInt64 } from "../../../bson/numbers.ts";
import { plainText } from "../../../json/decimal-text.ts";
import type { Doc } from "../../../model/document.ts";
import type { Unreadable } from "../../powers/contents.ts";
import type {
  Entry,
  EntryType,
  EntryValue,
  FieldValue,
  ScoredMember,
  StreamContent,
  StreamEntry,
} from "./entry.ts";
import { keyOfId } from "./key-id.ts";
import { NotAnEntry, notAnEntry } from "./not-an-entry.ts";
import { RAW, readString } from "./string-value.ts";

export interface DecodedRecord {
  readonly entry: Entry;
  /** What the document says that no entry can, in words. */
  readonly losses: readonly string[];
}

/**
 * Reads any document, also one that an application wrote: fields of its own do not count, numbers may have another type, and a value
 * that is no text stands for its JSON. Nothing is taken from `hash`.
 */
export function decodeRecord({ id, bytes }: Doc): DecodedRecord | Unreadable {
  return readable(() => {
    const key = keyOfId(id) ?? notAnEntry("is not an id that a key has");
    const fields = fieldsOf(bytes, 0);
    const from = { bytes, losses: new Set<string>() };
    const value = fields.get("value") ?? notAnEntry("has no `value`");
    const content = readContent(from, typeOf(bytes, fields), value, fields.get(RAW));
    const expiresAt = readExpiry(bytes, fields.get("expiresAt"));
    return { entry: { key, content, expiresAt }, losses: [...from.losses] };
  });
}

/** What `read` gives, or why a document is no entry. */
export function readable<T>(read: () => T): T | Unreadable {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotAnEntry) return { problem: error.problem };
    if (error instanceof RangeError) return { problem: "is not valid BSON" };
    throw error;
  }
}

/** The fields of the document at `at`. Throws NotAnEntry where one comes twice. */
export function fieldsOf(bytes: Uint8Array, at: number): ReadonlyMap<string, Element> {
  const fields = new Map<string, Element>();
  for (const element of elements(bytes, at)) {
    const name = latin1(bytes, element.nameStart, element.nameEnd);
    if (fields.has(name)) notAnEntry("has a field that comes twice");
    fields.set(name, element);
  }
  return fields;
}

/** What is looked for is ASCII: text that is not never becomes it. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(end - start, 0)).toString("latin1");
}

/** The milliseconds of a date; undefined for none, and for null. Throws NotAnEntry. */
function readExpiry(bytes: Uint8Array, field: Element | undefined): number | undefined {
  if (field === undefined || field.type === TYPE.null) return undefined;
  if (field.type !== TYPE.date) notAnEntry("has an `expiresAt` that is not a date");
  const time = Number(readInt64(bytes, field.start));
  return Number.isSafeInteger(time) ? time : notAnEntry("has an `expiresAt` that is out of range");
}

const TYPES = ["string", "json", "hash", "list", "set", "zset", "stream"] as const satisfies EntryType[];

/** What says nothing of its type is a string. */
function typeOf(bytes: Uint8Array, fields: ReadonlyMap<string, Element>): EntryType {
  const field = fields.get("type");
  if (field === undefined) return "string";
  const type = field.type === TYPE.string ? latin1(bytes, field.start + 4, field.end - 1) : "";
  return TYPES.find((one) => one === type) ?? notAnEntry("has a `type` that is not known");
}

/** A document that is being read, and what was lost so far. */
interface Reading {
  readonly bytes: Uint8Array;
  readonly losses: Set<string>;
}

function readContent(from: Reading, type: EntryType, value: Element, raw: Element | undefined): EntryValue {
  switch (type) {
    case "string":
      return { type, value: readString(from.bytes, value, raw, from.losses) };
    case "json":
      return { type, value: json(from, value, raw) };
    case "hash":
      return { type, value: ordered(fieldValues(from, type, itemsOf(from, type, value)), byFirst) };
    case "list":
      return { type, value: itemsOf(from, type, value).map((item) => member(from, item)) };
    case "set":
      return {
        type,
        value: ordered(
          itemsOf(from, type, value).map((item) => member(from, item)),
          Buffer.compare,
        ),
      };
    case "zset":
      return { type, value: scoredMembers(from, itemsOf(from, type, value)) };
    case "stream":
      return { type, value: stream(from, value) };
  }
}

function notOf(type: EntryType): never {
  return notAnEntry(`has a \`value\` that is not that of a ${type}`);
}

function json(from: Reading, value: Element, raw: Element | undefined): Uint8Array {
  const text = readString(from.bytes, value, raw, from.losses);
  try {
    JSON.parse(UTF8.decode(text));
  } catch {
    notAnEntry("has a `value` that is not JSON");
  }
  return text;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The elements of an array. No key holds nothing. */
function itemsOf({ bytes }: Reading, type: EntryType, value: Element): readonly Element[] {
  if (value.type !== TYPE.array) return notOf(type);
  const items = [...elements(bytes, value.start)];
  return items.length === 0 ? notAnEntry("has an empty `value`, and no key holds nothing") : items;
}

/** A member of a list, a set and so on: what is no text stands for its JSON, as for a string. */
function member({ bytes, losses }: Reading, item: Element): Uint8Array {
  return readString(bytes, item, undefined, losses);
}

/** The named parts of a document, which it must have. */
function partsOf<N extends string>(
  { bytes }: Reading,
  type: EntryType,
  item: Element,
  ...names: readonly N[]
): Readonly<Record<N, Element>> {
  if (item.type !== TYPE.object) return notOf(type);
  const fields = fieldsOf(bytes, item.start);
  const parts = names.map((name) => [name, fields.get(name) ?? notOf(type)] as const);
  return Object.fromEntries(parts) as Record<N, Element>;
}

function fieldValues(from: Reading, type: EntryType, items: readonly Element[]): FieldValue[] {
  return items.map((item) => {
    const { f, v } = partsOf(from, type, item, "f", "v");
    return [member(from, f), member(from, v)];
  });
}

function byFirst([a]: readonly [Uint8Array, unknown], [b]: readonly [Uint8Array, unknown]): number {
  return Buffer.compare(a, b);
}

/** Sorts them, and makes sure that none comes twice. */
function ordered<T>(items: T[], compare: (a: T, b: T) => number): readonly T[] {
  items.sort(compare);
  for (let at = 1; at < items.length; at++)
    if (compare(items[at - 1] as T, items[at] as T) === 0) notAnEntry("has a member that comes twice");
  return items;
}

function scoredMembers(from: Reading, items: readonly Element[]): readonly ScoredMember[] {
  const members = items.map((item): ScoredMember => {
    const { m, s } = partsOf(from, "zset", item, "m", "s");
    return [member(from, m), score(from.bytes, s)];
  });
  // Sorting keeps the order of equals: within a score it stays that of the members.
  return [...ordered(members, byFirst)].sort(([, a], [, b]) => (a === b ? 0 : a < b ? -1 : 1));
}

/** Of a number that a double is exactly, whatever its type. The servers keep -0 as 0. */
function score(bytes: Uint8Array, { type, start }: Element): number {
  const isNumber = [TYPE.double, TYPE.int32, TYPE.int64, TYPE.decimal128].some((one) => one === type);
  const double = isNumber ? nearestDouble(bytes, type, start) : Number.NaN;
  if (Number.isNaN(double)) return notAnEntry("has a score that is not a number");
  const exact = Buffer.alloc(8);
  exact.writeDoubleLE(double);
  if (compareNumbers(bytes, type, start, exact, TYPE.double, 0) !== 0)
    return notAnEntry("has a score that would be rounded");
  return double + 0;
}

function nearestDouble(bytes: Uint8Array, type: number, start: number): number {
  if (type === TYPE.double) return readDouble(bytes, start);
  if (type === TYPE.int32) return readInt32(bytes, start);
  if (type === TYPE.int64) return Number(readInt64(bytes, start));
  const decimal = readDecimal128(bytes, start);
  return Number(typeof decimal === "string" ? decimal : plainText(decimal));
}

function stream(from: Reading, value: Element): StreamContent {
  const parts = partsOf(from, "stream", value, "entries", "lastId");
  if (parts.entries.type !== TYPE.array) return notOf("stream");
  const entries = [...elements(from.bytes, parts.entries.start)].map((item) => streamEntry(from, item));
  const lastId = streamId(from.bytes, parts.lastId);
  // Ids ascend from above 0-0, and none is above the last one.
  let before = "0-0";
  for (const { id } of entries) {
    if (compareStreamIds(before, id) >= 0) notAnEntry("has entries that are not in the order of their ids");
    before = id;
  }
  if (compareStreamIds(before, lastId) > 0) notAnEntry("has an entry after its `lastId`");
  return { entries, lastId };
}

function streamEntry(from: Reading, item: Element): StreamEntry {
  const { id, fields } = partsOf(from, "stream", item, "id", "fields");
  return {
    id: streamId(from.bytes, id),
    fields: fieldValues(from, "stream", itemsOf(from, "stream", fields)),
  };
}

const MOST_ID_PART = 2n ** 64n - 1n;

function streamId(bytes: Uint8Array, { type, start, end }: Element): string {
  const text = type === TYPE.string ? latin1(bytes, start + 4, end - 1) : "";
  const [, ...parts] = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/.exec(text) ?? [];
  const isId = parts.length === 2 && parts.every((part) => BigInt(part) <= MOST_ID_PART);
  return isId ? text : notAnEntry("has an entry whose id is none");
}

/** By milliseconds, then by sequence. */
function compareStreamIds(a: string, b: string): number {
  const [aTime = "", aSequence = ""] = a.split("-");
  const [bTime = "", bSequence = ""] = b.split("-");
  return compareWhole(aTime, bTime) || compareWhole(aSequence, bSequence);
}

/** Digits without leading zeros. */
function compareWhole(a: string, b: string): number {
  if (a === b) return 0;
  return a.length - b.length || (a < b ? -1 : 1);
}
