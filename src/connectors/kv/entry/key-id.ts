import { isUtf8 } from "node:buffer";
import { TYPE } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import { DocumentId } from "../../../model/document.ts";

/** The `_id` of a key: a string where the key is UTF-8, else a Binary. */
export function idOfKey(key: Uint8Array): DocumentId {
  const isText = isUtf8(key);
  const writer = new BsonWriter(key.length + 6);
  writer.raw(Uint8Array.of(isText ? TYPE.string : TYPE.binary));
  if (isText) writer.stringBytes(key, 0, key.length);
  else writer.binary(key);
  return new DocumentId(writer.written());
}

/** The key that an `_id` is of; undefined for one that no key has, so that no two ids are one key. */
export function keyOfId({ element }: DocumentId): Uint8Array | undefined {
  if (element[0] === TYPE.string) {
    const key = element.subarray(5, -1);
    return isUtf8(key) ? key : undefined;
  }
  if (element[0] !== TYPE.binary || element[5] !== 0) return undefined;
  const key = element.subarray(6);
  return isUtf8(key) ? undefined : key;
}
