import { isUtf8 } from "node:buffer";
import { readDecimal128 } from "../../../../bson/decimal128.ts";
import { type Element, elements, readInt32, TYPE } from "../../../../bson/elements.ts";
import { readDouble, readInt64 } from "../../../../bson/numbers.ts";
import { plainDouble, plainText } from "../../../../json/decimal-text.ts";
import { JsonNumber, type JsonValue } from "../../../../json/json-reader.ts";
import { misfit } from "../misfit.ts";

/** Levels that are followed into a document; no server stores more. */
const MOST_LEVELS = 200;

/** A value somewhere in a document. */
export interface FieldPlace {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

export function placeOf(bytes: Uint8Array, { type, start, end }: Element): FieldPlace {
  return { bytes, type, start, end };
}

/** The values of a document or an array that lies at `place`. */
export function* membersOf({ bytes, start }: FieldPlace): Generator<readonly [string, FieldPlace]> {
  for (const element of elements(bytes, start)) {
    yield [utf8(bytes, element.nameStart, element.nameEnd), placeOf(bytes, element)];
  }
}

/** The name of an element. Throws Misfit where it is not UTF-8. */
export function nameOf(bytes: Uint8Array, { nameStart, nameEnd }: Element): string {
  return utf8(bytes, nameStart, nameEnd);
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (!isUtf8(part)) misfit("text that is not UTF-8");
  return part.toString();
}

export function stringOf({ bytes, start, end }: FieldPlace): string {
  return utf8(bytes, start + 4, end - 1);
}

export function isNumber({ type }: FieldPlace): boolean {
  return type === TYPE.int32 || type === TYPE.int64 || type === TYPE.double || type === TYPE.decimal128;
}

/** A number without an exponent; NaN and the infinities by name. A Double is the shortest decimal that only it is. */
export function numberText(place: FieldPlace): string {
  const { bytes, type, start } = place;
  if (type === TYPE.int32) return String(readInt32(bytes, start));
  if (type === TYPE.int64) return String(readInt64(bytes, start));
  if (type === TYPE.double) return plainDouble(readDouble(bytes, start));
  const decimal = readDecimal128(bytes, start);
  return typeof decimal === "string" ? decimal : plainText(decimal);
}

/** The milliseconds of a date; NaN beyond JavaScript's. */
export function dateOf({ bytes, start }: FieldPlace): number {
  return new Date(Number(readInt64(bytes, start))).getTime();
}

/** The bytes of a Binary and its subtype. */
export function binaryOf({ bytes, start, end }: FieldPlace): {
  readonly subtype: number;
  readonly content: Buffer;
} {
  const subtype = bytes[start + 4] as number;
  // The old subtype 2 repeats the length inside.
  const from = subtype === 2 ? start + 9 : start + 5;
  return { subtype, content: Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from) };
}

/** A UUID's sixteen bytes as text; Misfit for any other Binary. */
export function uuidText(place: FieldPlace): string {
  const { subtype, content } = binaryOf(place);
  if (subtype !== 4 || content.length !== 16) misfit("a Binary that is not a UUID");
  return content.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * A value as JSON. What JSON has not is written as `JSON.stringify` would: dates in ISO form, ObjectIds and UUIDs as their
 * text. Throws Misfit for what would lose something: NaN, and types that are nothing in JSON.
 */
export function jsonOf(place: FieldPlace, level = 0): JsonValue {
  if (level > MOST_LEVELS) misfit("JSON nested too deeply");
  switch (place.type) {
    case TYPE.null:
      return null;
    case TYPE.boolean:
      return place.bytes[place.start] !== 0;
    case TYPE.string:
      return stringOf(place);
    case TYPE.object:
      return objectOf(place, level);
    case TYPE.array:
      return [...membersOf(place)].map(([, member]) => jsonOf(member, level + 1));
    case TYPE.date: {
      const time = dateOf(place);
      return Number.isNaN(time) ? misfit("a date outside the range of JSON") : new Date(time).toISOString();
    }
    case TYPE.objectId:
      return Buffer.from(place.bytes.subarray(place.start, place.end)).toString("hex");
    case TYPE.binary:
      return uuidText(place);
    default:
      if (!isNumber(place)) return misfit(`a ${typeName(place.type)}, which JSON does not have`);
      return jsonNumberOf(place);
  }
}

function jsonNumberOf(place: FieldPlace): JsonNumber {
  const text = numberText(place);
  if (/[NI]/.test(text)) misfit(`${text}, which JSON does not have`);
  return new JsonNumber(text);
}

function objectOf(place: FieldPlace, level: number): JsonValue {
  const object = new Map<string, JsonValue>();
  for (const [name, member] of membersOf(place)) {
    if (object.has(name)) misfit("two fields with the same name");
    object.set(name, jsonOf(member, level + 1));
  }
  return object;
}

const NAMES = new Map<number, string>(Object.entries(TYPE).map(([name, type]) => [type, name]));

/** A type's name, for people. */
export function typeName(type: number): string {
  return NAMES.get(type) ?? "value";
}
