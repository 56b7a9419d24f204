import { isUtf8 } from "node:buffer";
import { isControlName } from "../../control/control-name.ts";
import { RECORDS } from "./records.ts";

/** In bytes. With the database's name, 255 are the most that servers take. */
const LONGEST = 200;

/** Collections that belong together: files in pieces. */
const FILES = /\.(?:files|chunks)$/;

/** The collection that is a key's own. */
export function nameOfKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString();
}

/** Why a key has no collection of its own, in words that follow the key; undefined: it has. */
export function keyNameProblem(key: Uint8Array): string | undefined {
  if (!isUtf8(key)) return "is not text";
  if (key.length > LONGEST) return `is longer than ${LONGEST} bytes`;
  const name = nameOfKey(key);
  if (name === "") return "is empty";
  if (name.includes("$") || name.includes("\0")) return "contains a character that no collection may have";
  if (name.startsWith(".") || name.endsWith(".") || name.includes(".."))
    return "has a dot at its beginning or its end, or two in a row";
  if (isControlName(name) || name.startsWith("system.") || name === RECORDS || FILES.test(name))
    return "is the name of a collection that belongs to something else";
  return undefined;
}
