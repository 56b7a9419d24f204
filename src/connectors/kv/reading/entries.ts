/** What keys hold, read in few commands: strings together, everything else by its type. */
import { isUtf8 } from "node:buffer";
import { type KvCommand, KvRefusal, type KvReply } from "../api/commands.ts";
import { isTooMuch } from "../api/failures.ts";
import type { Entry, EntryType } from "../entry/entry.ts";
import { idOfKey } from "../entry/key-id.ts";
import { ABSENT, type ReadTogether, STAYS } from "./expiries.ts";
import type { KvReading } from "./reading.ts";
import { entryType, textIn, valueCommands, valueIn } from "./value-commands.ts";
import { readInWindows } from "./windows.ts";

/** A key to be read; `type` as the server calls it, where that is known. */
export interface KeyToRead {
  readonly key: Uint8Array;
  readonly type: string | undefined;
}

/** A key that is there and whose content is not to be had. */
export interface UnreadKey {
  readonly key: Uint8Array;
  readonly type: string;
  /** In words that follow its name. */
  readonly problem: string;
}

export type ReadKey = Entry | UnreadKey;

/** What a request for keys gave: `open` are those of which it did not show what they are. */
interface Gained {
  readonly read: readonly ReadKey[];
  readonly open: readonly KeyToRead[];
}

/** Keys of one MGET, and bytes of the names of keys in one request. */
const MOST_KEYS = 500;
const MOST_NAME_BYTES = 400_000;
/** Fields of one command. */
const MOST_FIELDS = 5_000;
/** A key that has another type each time is looked at so often. */
const ROUNDS = 5;
const DOING = "read keys";

/**
 * Reads the keys, some at a time; those that are gone are left out. `areListed`: they were there just now, so that what shows no text is
 * likely to be of another type, and not absent.
 */
export async function* readKeys(
  reading: KvReading,
  keys: readonly KeyToRead[],
  areListed: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly ReadKey[]> {
  const { expiries } = reading;
  // Where each is asked for its expiry it is cheaper to know first which are there.
  let open = areListed || !expiries.areRead ? keys : await withoutAbsent(reading, keys, signal);
  while (open.length > 0) {
    const some = expiries.areRead ? open.slice(0, affordable(reading, MOST_COMMANDS)) : open;
    open = open.slice(some.length);
    yield* readInRounds(reading, some, { areListed, round: 1 }, signal);
  }
}

async function* readInRounds(
  reading: KvReading,
  keys: readonly KeyToRead[],
  { areListed, round }: { readonly areListed: boolean; readonly round: number },
  signal: AbortSignal,
): AsyncGenerator<readonly ReadKey[]> {
  const again: KeyToRead[] = [];
  for await (const { read, open: moved } of readOnce(reading, keys, signal)) {
    again.push(...moved);
    if (read.length > 0) yield read.map((one) => noted(reading, one));
  }
  if (again.length === 0) return;
  if (round === ROUNDS) {
    const problem = "was another type of key each time that it was looked at, or refused to be read";
    const unread = await typed(reading, again, signal);
    yield unread.map(({ key, type }) => noted(reading, { key, type, problem }));
    return;
  }
  let open = areListed ? again : await withoutAbsent(reading, again, signal);
  while (open.length > 0) {
    const some = open.slice(0, affordable(reading, MOST_COMMANDS));
    open = open.slice(some.length);
    const next = { areListed, round: round + 1 };
    yield* readInRounds(reading, await typed(reading, some, signal), next, signal);
  }
}

/** What a key costs at most: its type, its content (of a stream two commands), and when it expires. */
const MOST_COMMANDS = 4;

/** As long as so many parts of what may still be sent are left for what is read, the rest is for what is made of it. */
const SHARE = 4;

/**
 * How many keys may be read together, each for so many commands, so that what is left to be sent does for some of them in any case:
 * what is read and cannot be dealt with any more is read in vain.
 */
function affordable({ client }: KvReading, commands: number): number {
  return Math.max(1, Math.floor(client.left / (SHARE * commands)));
}

function noted(reading: KvReading, one: ReadKey): ReadKey {
  reading.inexact.saw("document", idOfKey(one.key), "problem" in one ? one.problem : undefined);
  return one;
}

async function* readOnce(
  reading: KvReading,
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): AsyncGenerator<Gained> {
  const maybeStrings = keys.filter(({ type }) => type === undefined || type === "string");
  const others = keys.filter(({ type }) => type !== undefined && type !== "string");
  // Names that are no text are sent in another way, which would spoil it for the others.
  for (const isText of [true, false])
    yield* readStrings(
      reading,
      maybeStrings.filter(({ key }) => isUtf8(key) === isText),
      signal,
    );
  yield* readOthers(reading, others, signal);
}

async function* readStrings(
  reading: KvReading,
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): AsyncGenerator<Gained> {
  const { sizes, expiries } = reading;
  for (let at = 0; at < keys.length; ) {
    // A request has room for so many commands, and each key may need one for its expiry.
    const most = expiries.areRead ? MOST_KEYS - 1 : 2 * MOST_KEYS;
    const some = fitting(keys.slice(at, at + evenly(keys.length - at, most)), sizes.strings.items);
    const parts = chunks(some, MOST_KEYS);
    const commands = parts.map((part): KvCommand => ["MGET", ...part.map(({ key }) => key)]);
    const found = await readTogether(reading, commands, some, signal);
    if (found === "again") continue;
    if (found === "too-long") {
      at += some.length;
      yield* apart(reading, some, signal, readStrings);
      continue;
    }
    const isTooLarge = found === "too-large" || found.replies.some((reply) => isLarge(reply));
    if (isTooLarge && some.length > 1) {
      sizes.strings.wasTooLarge(some.length);
      continue;
    }
    at += some.length;
    if (isTooLarge) {
      yield await windowed(reading, some[0] as KeyToRead, "string", signal);
      continue;
    }
    yield stringsIn(reading, some, found);
  }
}

function stringsIn(reading: KvReading, keys: readonly KeyToRead[], found: ReadTogether): Gained {
  const values = found.replies.flatMap((reply) => {
    if (Array.isArray(reply)) return reply as readonly KvReply[];
    throw reading.unexpected(DOING, reply as KvReply | KvRefusal);
  });
  if (values.length !== keys.length) throw reading.unexpected(DOING, undefined);
  const read: Entry[] = [];
  const open: KeyToRead[] = [];
  let bytes = 0;
  for (const [at, { key }] of keys.entries()) {
    const value = values[at];
    const end = found.expiries[at] as number;
    if (value instanceof Uint8Array) {
      bytes += value.length;
      if (end !== ABSENT) read.push({ key, content: { type: "string", value }, expiresAt: expiryOf(end) });
    } else if (end !== ABSENT) open.push({ key, type: undefined });
  }
  reading.sizes.strings.saw(keys.length, bytes);
  return { read, open };
}

/** A key of a type that can be read. */
interface KnownKey extends KeyToRead {
  readonly type: string;
  readonly entryType: EntryType;
}

async function* readOthers(
  reading: KvReading,
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): AsyncGenerator<Gained> {
  const known: KnownKey[] = [];
  const unknown: UnreadKey[] = [];
  for (const { key, type = "" } of keys) {
    const found = entryType(type);
    if (found !== undefined) known.push({ key, type, entryType: found });
    else unknown.push({ key, type, problem: "is of a type that dualsync does not know" });
  }
  if (unknown.length > 0) yield { read: unknown, open: [] };
  const { others } = reading.sizes;
  for (let at = 0; at < known.length; ) {
    // A stream has two commands, and each key may have one for its expiry.
    const most = Math.min(MOST_KEYS / 3, affordable(reading, MOST_COMMANDS - 1));
    const some = fitting(known.slice(at, at + most), others.items);
    const [first] = some;
    if (first === undefined) return;
    const commands = some.map(({ key, entryType: type }) => valueCommands(type, key));
    const found = await readTogether(reading, commands.flat(), some, signal);
    if (found === "again") continue;
    if (found === "too-large" && some.length > 1) {
      others.wasTooLarge(some.length);
      continue;
    }
    at += some.length;
    if (found === "too-long") {
      yield* apart(reading, some, signal, readOthers);
      continue;
    }
    if (found === "too-large") {
      yield await windowed(reading, first, first.entryType, signal);
      continue;
    }
    others.saw(some.length, bytesOf(found.replies));
    const { large, ...gained } = othersIn(reading, some, found);
    await nameFields(reading, gained.read, signal);
    yield gained;
    for (const one of large) yield await windowed(reading, one, one.entryType, signal);
  }
}

/** `large`: those whose whole content is more than an answer takes. */
function othersIn(
  reading: KvReading,
  keys: readonly KnownKey[],
  found: ReadTogether,
): Gained & { readonly large: readonly KnownKey[] } {
  const read: ReadKey[] = [];
  const open: KeyToRead[] = [];
  const large: KnownKey[] = [];
  let from = 0;
  for (const [place, one] of keys.entries()) {
    const { key, type } = one;
    const to = from + valueCommands(one.entryType, key).length;
    const value = parsed(reading, one.entryType, found.replies.slice(from, to));
    from = to;
    const end = found.expiries[place] as number;
    if (value instanceof KvRefusal)
      read.push({ key, type, problem: `is refused by the store (${value.code})` });
    else if (value === "too-large") large.push(one);
    else if (value === "moved") open.push({ key, type: undefined });
    else if (end !== ABSENT) {
      nameGroups(reading, key, value.groups);
      read.push({ key, content: value.content, expiresAt: expiryOf(end) });
    }
  }
  return { read, open, large };
}

function parsed(
  reading: KvReading,
  type: EntryType,
  replies: readonly (KvReply | KvRefusal)[],
): ReturnType<typeof valueIn> {
  try {
    return valueIn(type, replies);
  } catch (error) {
    if (error instanceof RangeError) throw reading.unexpected(DOING, undefined);
    throw error;
  }
}

async function windowed(
  reading: KvReading,
  { key, type: name }: KeyToRead,
  type: EntryType,
  signal: AbortSignal,
): Promise<Gained> {
  const found = await readInWindows(reading, key, type, signal);
  if (found === "moved") return { read: [], open: [{ key, type: undefined }] };
  if ("problem" in found) return { read: [{ key, type: name ?? type, problem: found.problem }], open: [] };
  if (found.end === ABSENT) return { read: [], open: [] };
  nameGroups(reading, key, found.groups);
  return { read: [{ key, content: found.content, expiresAt: expiryOf(found.end) }], open: [] };
}

function nameGroups(reading: KvReading, key: Uint8Array, groups: number): void {
  const reason =
    groups === 0
      ? undefined
      : `the stream has consumer groups (${groups}): they and their pending entries are not copied`;
  reading.inexact.saw("groups", idOfKey(key), reason);
}

/** Only where the server says that there are such hashes at all: it is one more command for each. */
async function nameFields(reading: KvReading, read: readonly ReadKey[], signal: AbortSignal): Promise<void> {
  if (!reading.expiries.fieldsExpire) return;
  const parts = read.flatMap((one) =>
    "content" in one && one.content.type === "hash"
      ? chunks(one.content.value, MOST_FIELDS).map((fields) => ({ key: one.key, fields }))
      : [],
  );
  const commands = parts.map(
    ({ key, fields }): KvCommand => [
      ...(["HPEXPIRETIME", key, "FIELDS", fields.length] as const),
      ...fields.map(([field]) => field),
    ],
  );
  const replies = await reading.client.run(commands, { signal, doing: DOING, repeatable: true });
  const expiring = new Map<Uint8Array, boolean>();
  for (const [at, { key }] of parts.entries()) {
    const ends = replies[at];
    const expires = Array.isArray(ends) && ends.some((end) => typeof end === "number" && end > 0);
    expiring.set(key, expires || expiring.get(key) === true);
  }
  const reason = "fields of the hash expire by themselves: the copy keeps them";
  for (const [key, expires] of expiring)
    reading.inexact.saw("fields", idOfKey(key), expires ? reason : undefined);
}

/** One of these keys has a name that the store does not take: the others are read without it. */
async function* apart<T extends KeyToRead>(
  reading: KvReading,
  keys: readonly T[],
  signal: AbortSignal,
  read: (reading: KvReading, keys: readonly T[], signal: AbortSignal) => AsyncIterable<Gained>,
): AsyncGenerator<Gained> {
  const [first] = keys;
  if (keys.length > 1) {
    for (const half of chunks(keys, Math.ceil(keys.length / 2))) yield* read(reading, half, signal);
    return;
  }
  if (first === undefined) return;
  const problem = "has a name longer than the store takes";
  yield { read: [{ key: first.key, type: first.type ?? "", problem }], open: [] };
}

/** `again`: from now on expiries are read, too, and fewer keys fit into a request. `too-long`: a name is. */
async function readTogether(
  reading: KvReading,
  commands: readonly KvCommand[],
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): Promise<ReadTogether | "too-large" | "too-long" | "again"> {
  try {
    const names = keys.map(({ key }) => key);
    const found = await reading.expiries.read(commands, names, signal);
    if (found === "again") return found;
    const isTooLong = ({ code }: KvRefusal): boolean => code === "KEYTOOLONG";
    if (found.replies.some((reply) => reply instanceof KvRefusal && isTooLong(reply))) return "too-long";
    if (found.expiries.some(Number.isNaN)) throw reading.unexpected("read when keys expire", undefined);
    return found;
  } catch (error) {
    if (isTooMuch(error)) return "too-large";
    throw error;
  }
}

/** Their types, one command each; without those that are gone. */
async function typed(
  reading: KvReading,
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): Promise<(KeyToRead & { readonly type: string })[]> {
  if (keys.length === 0) return [];
  const commands = keys.map(({ key }): KvCommand => ["TYPE", key]);
  const replies = await reading.client.run(commands, { signal, doing: DOING, repeatable: true });
  return keys.flatMap(({ key }, at) => {
    const reply = replies[at];
    if (!(reply instanceof Uint8Array)) throw reading.unexpected(DOING, reply);
    const type = textIn(reply);
    return type === "none" ? [] : [{ key, type }];
  });
}

/** Drops keys that are not there: most of them are not, and one command tells it of many. */
async function withoutAbsent(
  reading: KvReading,
  keys: readonly KeyToRead[],
  signal: AbortSignal,
): Promise<readonly KeyToRead[]> {
  const open = [...chunks(keys, MOST_KEYS)];
  const there: KeyToRead[] = [];
  for (let some = open.pop(); some !== undefined; some = open.pop()) {
    // Of so few each is asked for its type at once.
    if (some.length < 4) {
      there.push(...some);
      continue;
    }
    const command: KvCommand = ["EXISTS", ...some.map(({ key }) => key)];
    const [count] = await reading.client.run([command], { signal, doing: DOING, repeatable: true });
    if (count instanceof KvRefusal && count.code === "KEYTOOLONG") {
      open.push(...chunks(some, Math.ceil(some.length / 2)));
      continue;
    }
    if (typeof count !== "number") throw reading.unexpected(DOING, count);
    if (count === some.length) there.push(...some);
    else if (count > 0) open.push(...chunks(some, Math.ceil(some.length / 2)));
  }
  return there;
}

function expiryOf(end: number): number | undefined {
  return end === STAYS ? undefined : end;
}

function isLarge(reply: KvReply | KvRefusal): boolean {
  return reply instanceof KvRefusal && reply.code === "TOOLARGE";
}

/** As many from the beginning as one request takes. */
function fitting<T extends KeyToRead>(keys: readonly T[], most: number): readonly T[] {
  let bytes = 0;
  let count = 0;
  for (const { key } of keys) {
    bytes += key.length;
    if (count > 0 && (bytes > MOST_NAME_BYTES || count >= most)) break;
    count++;
  }
  return keys.slice(0, count);
}

/** The size of the first of some chunks of about one size, none of them larger than `most`. */
function evenly(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / most));
}

function chunks<T>(items: readonly T[], size: number): (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}

function bytesOf(replies: readonly (KvReply | KvRefusal)[]): number {
  let bytes = 0;
  const open: (KvReply | KvRefusal)[] = [...replies];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one instanceof Uint8Array) bytes += one.length;
    else if (Array.isArray(one)) open.push(...(one as readonly KvReply[]));
  }
  return bytes;
}
