import { isUtf8 } from "node:buffer";
import { type Element, readInt32, TYPE } from "../../../bson/elements.ts";
import type { BsonWriter } from "../../../bson/writer.ts";
import type { Name } from "../../../json/json-bson.ts";

/** Writes bytes of a KV store under `name`: as a string where they are UTF-8, else as a Binary. */
export function writeBytes(writer: BsonWriter, name: Name, content: Uint8Array): void {
  if (isUtf8(content)) {
    writer.element(TYPE.string, name);
    writer.stringBytes(content, 0, content.length);
  } else {
    writer.element(TYPE.binary, name);
    writer.binary(content);
  }
}

/** The bytes that a string or a plain Binary holds, as they are; undefined for every other value. */
export function bytesOf(bytes: Uint8Array, { type, start, end }: Element): Uint8Array | undefined {
  // Drivers do not tell a symbol from a string.
  if (type === TYPE.string || type === TYPE.symbol) {
    return end - start > 4 ? bytes.subarray(start + 4, end - 1) : undefined;
  }
  if (type !== TYPE.binary) return undefined;
  const subtype = bytes[start + 4];
  if (subtype === 0) return bytes.subarray(start + 5, end);
  // The old subtype 2 repeats the length inside.
  const isOld = subtype === 2 && end - start >= 9 && readInt32(bytes, start + 5) === end - start - 9;
  return isOld ? bytes.subarray(start + 9, end) : undefined;
}
