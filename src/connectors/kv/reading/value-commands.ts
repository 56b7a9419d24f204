/** How what a key holds is read whole, by the type that the server says it has. */
import { type KvCommand, KvRefusal, type KvReply } from "../api/commands.ts";
import type { EntryType, EntryValue, FieldValue, ScoredMember, StreamEntry } from "../entry/entry.ts";

/** Names that servers have for the types. */
const TYPES: ReadonlyMap<string, EntryType> = new Map([
  ...(["string", "hash", "list", "set", "zset", "stream", "json"] as const).map(
    (name) => [name, name] as const,
  ),
  ["ReJSON-RL", "json"],
]);

/** Undefined for a type that only later servers, or modules of theirs, have. */
export function entryType(name: string): EntryType | undefined {
  return TYPES.get(name);
}

/** Content as it was read, and what it has besides. */
export interface ReadValue {
  readonly content: EntryValue;
  /** Consumer groups of a stream. */
  readonly groups: number;
}

/** `moved`: there is no such key any more, or it has another type. `too-large`: the answer would be larger than answers may be. */
export type ValueAnswer = ReadValue | "moved" | "too-large";

/** Its replies go to `valueIn`, as many as there are commands. */
export function valueCommands(type: EntryType, key: Uint8Array): readonly KvCommand[] {
  switch (type) {
    case "string":
      return [["GET", key]];
    case "json":
      return [["JSON.GET", key]];
    case "hash":
      return [["HGETALL", key]];
    case "list":
      return [["LRANGE", key, 0, -1]];
    case "set":
      return [["SMEMBERS", key]];
    case "zset":
      return [["ZRANGE", key, 0, -1, "WITHSCORES"]];
    case "stream":
      return [
        ["XRANGE", key, "-", "+"],
        ["XINFO", "STREAM", key],
      ];
  }
}

/** Throws RangeError on replies that such commands do not have. A refusal of another kind is for the caller. */
export function valueIn(type: EntryType, replies: readonly (KvReply | KvRefusal)[]): ValueAnswer | KvRefusal {
  const refusal = replies.find((reply) => reply instanceof KvRefusal);
  if (refusal?.code === "TOOLARGE") return "too-large";
  // A key that is gone, or has another type, at the second of two commands.
  if (refusal !== undefined) return ["WRONGTYPE", "ERR"].includes(refusal.code) ? "moved" : refusal;
  const [reply = null, facts = null] = replies as readonly KvReply[];
  if (reply === null) return "moved";
  if (type === "string" || type === "json") return { content: { type, value: bytesIn(reply) }, groups: 0 };
  const list = listIn(reply);
  if (type === "stream") {
    const { lastId, groups } = streamFacts(facts);
    return { content: { type, value: { entries: list.map(streamEntry), lastId } }, groups };
  }
  // No key holds nothing.
  return list.length === 0 ? "moved" : { content: collectionOf(type, list), groups: 0 };
}

/** Of members as the server lists them. */
export function collectionOf(
  type: Exclude<EntryType, "string" | "json" | "stream">,
  list: readonly KvReply[],
): EntryValue {
  switch (type) {
    case "list":
      return { type, value: list.map(bytesIn) };
    case "set":
      return { type, value: list.map(bytesIn).sort(Buffer.compare) };
    case "hash":
      return { type, value: pairsIn(list).sort(byFirst) };
    case "zset":
      return { type, value: pairsIn(list).map(scoredMember).sort(byScore) };
  }
}

export function streamEntry(reply: KvReply): StreamEntry {
  const [id = null, fields = null] = listIn(reply);
  return { id: textIn(id), fields: pairsIn(listIn(fields)) };
}

/** What XINFO STREAM says: names and values in turn. */
export function streamFacts(reply: KvReply): { readonly lastId: string; readonly groups: number } {
  const facts = listIn(reply);
  const after = (name: string): KvReply => {
    const at = facts.findIndex((fact, place) => place % 2 === 0 && fact !== null && textIn(fact) === name);
    return at < 0 ? null : (facts[at + 1] ?? null);
  };
  const groups = after("groups");
  return { lastId: textIn(after("last-generated-id")), groups: typeof groups === "number" ? groups : 0 };
}

function pairsIn(list: readonly KvReply[]): FieldValue[] {
  const pairs: FieldValue[] = [];
  for (let at = 0; at < list.length; at += 2)
    pairs.push([bytesIn(list[at] ?? null), bytesIn(list[at + 1] ?? null)]);
  return pairs;
}

function byFirst([a]: FieldValue, [b]: FieldValue): number {
  return Buffer.compare(a, b);
}

function scoredMember([member, score]: FieldValue): ScoredMember {
  const text = textIn(score);
  const number = /^[+-]?inf/.test(text) ? (text.startsWith("-") ? -1 : 1) / 0 : Number(text);
  if (text === "" || Number.isNaN(number)) throw new RangeError("no score");
  return [member, number + 0];
}

function byScore([member, score]: ScoredMember, [otherMember, otherScore]: ScoredMember): number {
  if (score !== otherScore) return score < otherScore ? -1 : 1;
  return Buffer.compare(member, otherMember);
}

export function bytesIn(reply: KvReply): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  if (typeof reply === "number") return Buffer.from(String(reply));
  throw new RangeError("no text");
}

export function textIn(reply: KvReply): string {
  return Buffer.from(bytesIn(reply)).toString("utf8");
}

export function listIn(reply: KvReply): readonly KvReply[] {
  if (reply === null || typeof reply === "number" || reply instanceof Uint8Array)
    throw new RangeError("no list");
  return reply;
}
