import type { KvRefusal, KvReply } from "../api/commands.ts";

/** What a server says of its keys, which costs no command. */
export interface KeyspaceInfo {
  /** With those that have expired and are not removed yet. */
  readonly keys: number;
  /** How many of them have a time of expiry. */
  readonly expires: number;
  /** How many of them are hashes with fields that expire by themselves; undefined where the server does not say. */
  readonly fieldsExpire: number | undefined;
}

/** The text of INFO; undefined where the server gives none. */
export function infoText(reply: KvReply | KvRefusal | undefined): string | undefined {
  return reply instanceof Uint8Array ? Buffer.from(reply).toString("utf8") : undefined;
}

/** The value of a line `name:value` of INFO. */
export function infoValue(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\r\\n]*)`, "m").exec(text)?.[1];
}

/** Undefined where the text does not tell: there may be no keys, or the server may not count them. */
export function keyspaceInfo(text: string | undefined): KeyspaceInfo | undefined {
  const line = text === undefined ? undefined : infoValue(text, "db0");
  if (line === undefined) return undefined;
  const counts = new Map(line.split(",").map((part) => part.split("=", 2) as [string, string]));
  const [keys, expires, fieldsExpire] = ["keys", "expires", "subexpiry"].map((name) =>
    countOf(counts.get(name)),
  );
  return keys === undefined || expires === undefined ? undefined : { keys, expires, fieldsExpire };
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
