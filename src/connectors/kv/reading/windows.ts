/** Values that are too large for one answer, read in windows; what they are made of may change meanwhile, which is noticed. */
import { type KvCommand, KvRefusal, type KvReply } from "../api/commands.ts";
import { LARGEST_RECORD } from "../entry/encode-record.ts";
import type { EntryType, EntryValue, StreamEntry } from "../entry/entry.ts";
import { contentDigest } from "../scripts/content-digest.ts";
import { DIGEST_LUA } from "../scripts/digest-lua.ts";
import { expiryLua } from "../scripts/expiry-lua.ts";
import { scriptOf } from "../scripts/scripts.ts";
import type { KvReading } from "./reading.ts";
import {
  bytesIn,
  collectionOf,
  listIn,
  type ReadValue,
  streamEntry,
  streamFacts,
  textIn,
} from "./value-commands.ts";

/** A value that was read, and when it expires, as `ReadTogether` says it. */
export interface WindowedValue extends ReadValue {
  readonly end: number;
}

/** Why a key is not read, in words that follow its name. */
export interface UnreadValue {
  readonly problem: string;
}

/** A value that changes all the time is read so often at most. */
const TRIES = 3;

/** Bytes of a window of a string, and the first size of a window of members. */
const STRING_WINDOW = 4_000_000;
const MEMBERS = 10_000;

const TOO_LARGE: UnreadValue = { problem: "is larger than the 15 MB that a document has room for" };
const CHANGES: UnreadValue = {
  problem: "is so large that it is read in parts, and was changed each time meanwhile",
};

class TooLarge extends Error {}
class Moved extends Error {}

/** What a value is made of and when it ends, by the server, in one step: with it, windows that were read are proved to be one value. */
const CHECK = `return {digest(ARGV[1], KEYS[1]) or '', ends(KEYS[1])}
`;

export async function readInWindows(
  reading: KvReading,
  key: Uint8Array,
  type: EntryType,
  signal: AbortSignal,
): Promise<WindowedValue | UnreadValue | "moved"> {
  const check = scriptOf(DIGEST_LUA + expiryLua(await reading.expiries.command(signal)) + CHECK, true);
  const options = { signal, doing: "read a large key", repeatable: true, bills: 5 } as const;
  try {
    for (let tried = 1; tried <= TRIES; tried++) {
      const found = await readParts(new Parts(reading, key, signal), type);
      const [proof] = await reading.scripts.run(check, [{ keys: [key], args: [type] }], options);
      if (proof instanceof KvRefusal || proof === undefined)
        throw reading.unexpected("read a large key", proof);
      const [digest = null, end = null] = listIn(proof);
      if (digest !== null && textIn(digest) === contentDigest(found.content))
        return { ...found, end: Number(end) };
    }
    return CHANGES;
  } catch (error) {
    if (error instanceof TooLarge) return TOO_LARGE;
    if (error instanceof Moved) return "moved";
    throw error;
  }
}

/** One key, read part by part. */
class Parts {
  readonly #reading: KvReading;
  readonly #key: Uint8Array;
  readonly #signal: AbortSignal;
  #left = LARGEST_RECORD;

  constructor(reading: KvReading, key: Uint8Array, signal: AbortSignal) {
    this.#reading = reading;
    this.#key = key;
    this.#signal = signal;
  }

  /** Undefined: the answer would be too large. */
  async ask(name: string, ...args: readonly (string | number | Uint8Array)[]): Promise<KvReply | undefined> {
    return await this.#run([name, this.#key, ...args]);
  }

  /** Of a stream. */
  async facts(): Promise<KvReply> {
    return (await this.#run(["XINFO", "STREAM", this.#key])) ?? null;
  }

  async #run(command: KvCommand): Promise<KvReply | undefined> {
    const doing = "read a large key";
    const [reply] = await this.#reading.client.run([command], {
      signal: this.#signal,
      doing,
      repeatable: true,
    });
    if (!(reply instanceof KvRefusal)) return reply;
    if (reply.code === "TOOLARGE") return undefined;
    if (reply.code === "WRONGTYPE" || reply.code === "ERR") throw new Moved();
    throw this.#reading.unexpected(doing, reply);
  }

  /** Asks for fewer and fewer until there is an answer. @returns it, and how many were asked for */
  async askFewer(
    most: number,
    command: (count: number) => readonly [name: string, ...args: (string | number | Uint8Array)[]],
  ): Promise<{ readonly reply: KvReply; readonly count: number }> {
    for (let count = most; ; count = Math.max(1, Math.floor(count / 4))) {
      const reply = await this.ask(...command(count));
      if (reply !== undefined) return { reply, count };
      // One member alone is larger than an answer may be.
      if (count === 1) throw new TooLarge();
    }
  }

  /** Throws when all that was read together has no room in a document. */
  took(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new TooLarge();
  }
}

async function readParts(parts: Parts, type: EntryType): Promise<ReadValue> {
  switch (type) {
    // Its text cannot be read in parts.
    case "json":
      throw new TooLarge();
    case "string":
      return { content: { type, value: await readString(parts) }, groups: 0 };
    case "list":
      return { content: { type, value: await readList(parts) }, groups: 0 };
    case "hash":
      return { content: await scanned(parts, type, "HSCAN"), groups: 0 };
    case "set":
      return { content: await scanned(parts, type, "SSCAN"), groups: 0 };
    case "zset":
      return { content: await scanned(parts, type, "ZSCAN"), groups: 0 };
    case "stream":
      return await readStream(parts);
  }
}

async function readString(parts: Parts): Promise<Uint8Array> {
  const length = Number(await parts.ask("STRLEN"));
  parts.took(length);
  const pieces: Uint8Array[] = [];
  let most = STRING_WINDOW;
  for (let at = 0; at < length; ) {
    const { reply, count } = await parts.askFewer(most, (n) => ["GETRANGE", at, at + n - 1]);
    const piece = bytesIn(reply);
    // It is shorter by now; the proof would not be had.
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
    most = count;
  }
  return Buffer.concat(pieces);
}

async function readList(parts: Parts): Promise<readonly Uint8Array[]> {
  const members: Uint8Array[] = [];
  for (let most = MEMBERS; ; ) {
    const at = members.length;
    const { reply, count } = await parts.askFewer(most, (n) => ["LRANGE", at, at + n - 1]);
    const found = listIn(reply).map(bytesIn);
    members.push(...found);
    parts.took(sizeOf(found));
    most = count;
    if (found.length === 0) return members.length === 0 ? moved() : members;
  }
}

/** What comes twice counts once, as it was last. */
async function scanned(
  parts: Parts,
  type: "hash" | "set" | "zset",
  name: "HSCAN" | "SSCAN" | "ZSCAN",
): Promise<EntryValue> {
  const width = type === "set" ? 1 : 2;
  const members = new Map<string, readonly KvReply[]>();
  let cursor: string | Uint8Array = "0";
  for (let most = MEMBERS; ; ) {
    const { reply, count } = await parts.askFewer(most, (n) => [name, cursor, "COUNT", n]);
    const [next = null, page = null] = listIn(reply);
    const found = listIn(page);
    for (let at = 0; at < found.length; at += width) {
      const member = found.slice(at, at + width);
      const bytes = bytesIn(member[0] ?? null);
      const known = Buffer.from(bytes).toString("latin1");
      if (!members.has(known)) parts.took(sizeOf(member.map(bytesIn)));
      members.set(known, member);
    }
    most = count;
    cursor = bytesIn(next);
    if (textIn(cursor) !== "0") continue;
    return members.size === 0 ? moved() : collectionOf(type, [...members.values()].flat());
  }
}

async function readStream(parts: Parts): Promise<ReadValue> {
  const entries: StreamEntry[] = [];
  let most = MEMBERS;
  for (let from = "-"; ; ) {
    const { reply, count } = await parts.askFewer(most, (n) => ["XRANGE", from, "+", "COUNT", n]);
    const found = listIn(reply).map(streamEntry);
    for (const { fields } of found) parts.took(sizeOf(fields.flat()));
    entries.push(...found);
    most = count;
    const last = entries.at(-1);
    if (found.length === 0 || last === undefined) break;
    from = `(${last.id}`;
  }
  const { lastId, groups } = streamFacts(await parts.facts());
  return { content: { type: "stream", value: { entries, lastId } }, groups };
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function moved(): never {
  throw new Moved();
}
