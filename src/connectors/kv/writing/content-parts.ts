/** Content as the commands that write it take it, and whether they can. */
import { LARGEST_RECORD } from "../entry/encode-record.ts";
import type { EntryValue, StreamEntry } from "../entry/entry.ts";

export type ContentPart = string | Uint8Array;

/** The arguments that `guard-script.ts` has for content of this type. */
export function partsOf(content: EntryValue): readonly ContentPart[] {
  switch (content.type) {
    case "string":
    case "json":
      return [content.value];
    case "list":
    case "set":
      return content.value;
    case "hash":
      return content.value.flat();
    case "zset":
      return content.value.flatMap(([member, score]) => [scoreArgument(score), member]);
    case "stream":
      return [content.value.lastId, ...content.value.entries.flatMap(entryParts)];
  }
}

/** An entry of a stream: its id, how many fields and values there are, and these. */
export function entryParts({ id, fields }: StreamEntry): readonly ContentPart[] {
  const parts = fields.flat();
  return [id, String(parts.length), ...parts];
}

/** In digits that give the same number back. */
export function scoreArgument(score: number): string {
  if (Number.isFinite(score)) return String(score);
  return score > 0 ? "inf" : "-inf";
}

export function sizeOfParts(parts: readonly ContentPart[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** A part that is no text is sent in twice as many digits. */
const LARGEST_PART = 4_500_000;
/** Lua hands no more to a command. */
const MOST_ENTRY_PARTS = 7_000;

/** Why no command can write it, in words that follow "it"; undefined: it can be written. */
export function unwritable(content: EntryValue): string | undefined {
  const parts = partsOf(content);
  if (sizeOfParts(parts) > LARGEST_RECORD) return "is larger than 15 MB";
  if (content.type === "json" && content.value.length > LARGEST_PART)
    return "is a JSON document larger than 4 MB, which cannot be put together from pieces";
  if (content.type !== "string" && parts.some(({ length }) => length > LARGEST_PART))
    return "has a member larger than 4 MB, which no single request takes";
  if (content.type !== "stream") return undefined;
  const isTooWide = content.value.entries.some(({ fields }) => 2 * fields.length > MOST_ENTRY_PARTS);
  return isTooWide ? "has an entry with more fields than one command takes" : undefined;
}
