/** Content that is too large for one command is put together under a name of its own, piece by piece. */
import { type KvCommand, KvRefusal } from "../api/commands.ts";
import type { EntryValue } from "../entry/entry.ts";
import type { KvReading } from "../reading/reading.ts";
import { scriptOf } from "../scripts/scripts.ts";
import { type ContentPart, entryParts, scoreArgument } from "./content-parts.ts";

/** Bytes of a piece, and members. */
export const PIECE_BYTES = 900_000;
const PIECE_MEMBERS = 5_000;

/** What is left of a build that was given up is gone after so many milliseconds. */
const KEPT_MS = 10 * 60_000;

/**
 * Each piece is harmless to repeat, as its answer may be lost, and what is built expires from the first on, as whoever builds may end at
 * any time. ARGV[1] is how many members are there before it.
 */
const APPEND = scriptOf(`if redis.call('LLEN', KEYS[1]) == tonumber(ARGV[1]) then
  redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
end
redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
return 1`);

/** Entries that are there already are refused by their ids; what is wrong with them shows when the whole is looked at. */
const ADD_ENTRIES = scriptOf(`local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  redis.pcall('XADD', KEYS[1], ARGV[at], unpack(ARGV, at + 2, at + 1 + count))
  at = at + 2 + count
end
redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
return 1`);

/** @returns the code of a refusal; undefined: all pieces are there, as far as they were not refused */
export async function build(
  { client, scripts }: KvReading,
  name: string,
  content: EntryValue,
  signal: AbortSignal,
): Promise<string | undefined> {
  const options = { signal, doing: "write a large key", repeatable: true } as const;
  const keep: KvCommand = ["PEXPIRE", name, KEPT_MS];
  for (const piece of piecesOf(name, content)) {
    const bills = "script" in piece ? piece.bills : undefined;
    const replies =
      "script" in piece
        ? await scripts.run(piece.script, [{ keys: [name], args: piece.args }], { ...options, bills })
        : await client.transaction([piece.command, keep], options);
    const refused = replies.find((reply) => reply instanceof KvRefusal);
    if (refused instanceof KvRefusal) return refused.code;
  }
  return undefined;
}

type BuildPiece =
  | { readonly command: KvCommand }
  | { readonly script: typeof APPEND; readonly args: readonly ContentPart[]; readonly bills: number };

function* piecesOf(name: string, content: EntryValue): Generator<BuildPiece> {
  switch (content.type) {
    case "string":
    case "json":
      for (let at = 0; at < content.value.length; at += PIECE_BYTES)
        yield { command: ["SETRANGE", name, at, content.value.subarray(at, at + PIECE_BYTES)] };
      break;
    case "hash":
      for (const some of pieces(content.value)) yield { command: ["HSET", name, ...some.flat()] };
      break;
    case "set":
      for (const some of pieces(content.value)) yield { command: ["SADD", name, ...some] };
      break;
    case "zset":
      for (const some of pieces(content.value))
        yield {
          command: ["ZADD", name, ...some.flatMap(([member, score]) => [scoreArgument(score), member])],
        };
      break;
    case "list": {
      let before = 0;
      for (const some of pieces(content.value)) {
        yield { script: APPEND, args: [String(before), ...some], bills: 4 };
        before += some.length;
      }
      break;
    }
    case "stream": {
      const { entries, lastId } = content.value;
      for (const some of pieces(entries.map(entryParts)))
        yield { script: ADD_ENTRIES, args: some.flat(), bills: 2 + some.length };
      yield { command: ["XSETID", name, lastId] };
    }
  }
}

function* pieces<T extends Uint8Array | readonly (string | number | Uint8Array)[]>(
  members: readonly T[],
): Generator<readonly T[]> {
  let some: T[] = [];
  let bytes = 0;
  for (const member of members) {
    const size = sizeOf(member);
    if (some.length > 0 && (bytes + size > PIECE_BYTES || some.length >= PIECE_MEMBERS / 2)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(member);
    bytes += size;
  }
  if (some.length > 0) yield some;
}

function sizeOf(member: Uint8Array | readonly (string | number | Uint8Array)[]): number {
  if (member instanceof Uint8Array) return member.length;
  return member.reduce((sum: number, part) => sum + (typeof part === "number" ? 8 : part.length), 0);
}
