/** What applications make of a document's value before they put it into a KV store. */
import { isUtf8 } from "node:buffer";
import { readDecimal128 } from "../../../bson/decimal128.ts";
import { type Element, elements, readInt32, TYPE } from "../../../bson/elements.ts";
import { readDouble, readInt64 } from "../../../bson/numbers.ts";
import { plainText } from "../../../json/decimal-text.ts";
import { quoted } from "../../../json/quoted.ts";
import { notAnEntry } from "./not-an-entry.ts";

/** Levels that are followed into a value; no server stores more. */
const MOST_LEVELS = 200;

/**
 * The JSON that `JSON.stringify` gives for this value as MongoDB's driver reads it, but with the digits of every number, and with
 * members in their stored order. What JSON has no form for is added to `losses`, in words. Throws NotAnEntry.
 */
export function stringify(bytes: Uint8Array, value: Element, losses: Set<string>): string {
  return print(value, 0) ?? nothing();

  /** Undefined: it is no member of an object. */
  function print(place: Element, level: number): string | undefined {
    const { type, start, end } = place;
    switch (type) {
      case TYPE.null:
        return "null";
      case TYPE.boolean:
        return bytes[start] === 0 ? "false" : "true";
      case TYPE.int32:
        return String(readInt32(bytes, start));
      case TYPE.int64:
        return String(readInt64(bytes, start));
      case TYPE.double:
        return double(readDouble(bytes, start));
      case TYPE.decimal128: {
        const decimal = readDecimal128(bytes, start);
        return typeof decimal === "string" ? notFinite() : plainText(decimal);
      }
      case TYPE.string:
      case TYPE.symbol:
        return quoted(utf8(bytes, start + 4, end - 1));
      case TYPE.object:
        return object(place, level + 1);
      case TYPE.array:
        return array(place, level + 1);
      case TYPE.date:
        return date(Number(readInt64(bytes, start)));
      case TYPE.undefined:
        losses.add("an undefined value");
        return undefined;
      case TYPE.objectId:
        return lost("an ObjectId, which is text in JSON", `"${hex(start, end)}"`);
      case TYPE.binary:
        return binary(start, end);
      case TYPE.timestamp:
        return lost(
          "a timestamp, which is an object in JSON",
          `{"$timestamp":"${BigInt.asUintN(64, readInt64(bytes, start))}"}`,
        );
      case TYPE.dbPointer:
        return lost(
          "a DBPointer, which is an object in JSON",
          `{"$ref":${quoted(utf8(bytes, start + 4, end - 13))},"$id":"${hex(end - 12, end)}"}`,
        );
      case TYPE.code:
        return lost("code, which is an object in JSON", code(start, end));
      case TYPE.codeWithScope:
        return lost("code, which is an object in JSON", codeWithScope(start, level + 1));
      case TYPE.regex:
        return lost("a regular expression, which is {} in JSON", "{}");
      default:
        return lost("a MinKey or MaxKey, which is {} in JSON", "{}");
    }
  }

  function lost(what: string, json: string): string {
    losses.add(what);
    return json;
  }

  function nothing(): string {
    return "null";
  }

  function notFinite(): string {
    return lost("a number that is not finite, which is null in JSON", "null");
  }

  function double(number: number): string {
    return Number.isFinite(number) ? String(number) : notFinite();
  }

  function date(time: number): string {
    const found = new Date(time);
    if (Number.isNaN(found.getTime()))
      return lost("a date beyond JavaScript's, which is null in JSON", "null");
    return `"${found.toISOString()}"`;
  }

  function binary(start: number, end: number): string {
    const digits = hex(start + 5, end);
    if (bytes[start + 4] === 4 && digits.length === 32) {
      const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
      return lost("a UUID, which is text in JSON", `"${uuid}"`);
    }
    // The old subtype 2 repeats the length inside.
    const from = bytes[start + 4] === 2 ? start + 9 : start + 5;
    return lost("a Binary, which is base64 in JSON", `"${part(from, end).toString("base64")}"`);
  }

  function code(start: number, end: number): string {
    return `{"code":${quoted(utf8(bytes, start + 4, end - 1))}}`;
  }

  function codeWithScope(start: number, level: number): string {
    const scope = start + 8 + readInt32(bytes, start + 4);
    const text = quoted(utf8(bytes, start + 8, scope - 1));
    return `{"code":${text},"scope":${object({ start: scope }, level)}}`;
  }

  function array({ start }: Pick<Element, "start">, level: number): string {
    if (level > MOST_LEVELS) notAnEntry("nests too deeply");
    let text = "[";
    for (const element of elements(bytes, start))
      text += `${text === "[" ? "" : ","}${print(element, level) ?? "null"}`;
    return `${text}]`;
  }

  function object({ start }: Pick<Element, "start">, level: number): string {
    if (level > MOST_LEVELS) notAnEntry("nests too deeply");
    const members = new Map<string, string | undefined>();
    for (const element of elements(bytes, start)) {
      const name = utf8(bytes, element.nameStart, element.nameEnd);
      if (members.has(name)) losses.add("a field that comes twice, whose last value counts");
      members.set(name, print(element, level));
    }
    let text = "{";
    for (const [name, member] of members)
      if (member !== undefined) text += `${text === "{" ? "" : ","}${quoted(name)}:${member}`;
    return `${text}}`;
  }

  function hex(start: number, end: number): string {
    return part(start, end).toString("hex");
  }

  function part(start: number, end: number): Buffer {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(end - start, 0));
  }
}

/** Throws NotAnEntry on what is not UTF-8: JSON is. */
function utf8(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(end - start, 0));
  return isUtf8(text) ? text.toString() : notAnEntry("holds text that is not UTF-8");
}
