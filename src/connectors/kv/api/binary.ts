/**
 * Commands as the service's JSON can carry them. JSON holds text only, and bytes that are no UTF-8 would arrive as others. So
 * neighbouring commands with such bytes become one script that makes the bytes of hexadecimal digits and runs them, which is
 * billed as one more command; a script that is given such bytes gets lines before its own that make them in place. What the order and
 * a transaction promise, holds.
 *
 * The service can also take the last argument as the body of a request of its own, but for one command a request, outside of
 * transactions, and with the others in the address.
 */
import { isUtf8 } from "node:buffer";
import type { KvItem } from "./answer.ts";
import { type KvCommand, MOST_BINARY_ARGUMENTS } from "./commands.ts";

/** A command as it is sent. */
export type TextCommand = readonly [name: string, ...args: string[]];

/** What is sent in place of some commands, and what it gives for each. */
export interface Carried {
  readonly command: TextCommand;
  /** How many commands it stands for. */
  readonly count: number;
  /** One item for each of them, of the item that came; undefined: it is none that this command can give. */
  readonly items: (item: KvItem) => readonly KvItem[] | undefined;
  /** What it is billed beyond the commands that it stands for. */
  readonly extra: 0 | 1;
}

/** Bytes by their digits. */
const BYTES = `local bytes = {}
for i = 0, 255 do bytes[string.format('%02x', i)] = string.char(i) end
`;

/** An argument begins with t, for text, or x, for digits. */
const RUN = `${BYTES}local replies, at = {}, 1
while ARGV[at] do
  local command, count = {}, tonumber(ARGV[at])
  for i = 1, count do
    local argument = ARGV[at + i]
    local text = argument:sub(2)
    command[i] = argument:byte() == 120 and text:gsub('..', bytes) or text
  end
  at = at + count + 1
  local reply = redis.pcall(unpack(command))
  local failed = type(reply) == 'table' and reply.err
  replies[#replies + 1] = failed and {0, failed} or {1, reply}
end
return replies`;

const DECODED = `local function decoded(list)
  local made = {}
  for i, argument in ipairs(list) do
    local text = argument:sub(2)
    made[i] = argument:byte() == 120 and text:gsub('..', bytes) or text
  end
  return made
end
`;

export function carried(commands: readonly KvCommand[]): Carried[] {
  const out: Carried[] = [];
  let binary: KvCommand[] = [];
  const endRun = (): void => {
    if (binary.length > 0) out.push(runOf(binary));
    binary = [];
  };
  for (const command of commands) {
    const text = asText(command) ?? scriptWithBytes(command);
    if (text === undefined) {
      binary.push(command);
      continue;
    }
    endRun();
    out.push({ command: text, count: 1, items: (item) => [item], extra: 0 });
  }
  endRun();
  return out;
}

/** Undefined where an argument is no text. */
function asText(command: KvCommand): TextCommand | undefined {
  const texts: string[] = [];
  for (const argument of command) {
    const text = textOf(argument);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts as unknown as TextCommand;
}

function textOf(argument: string | number | Uint8Array): string | undefined {
  if (typeof argument === "number") return String(argument);
  if (typeof argument === "string") {
    // It would be sent as a replacement character.
    if (/\p{Surrogate}/u.test(argument)) throw new Error("a text with an unpaired surrogate cannot be sent");
    return argument;
  }
  return isUtf8(argument) ? bufferOf(argument).toString("utf8") : undefined;
}

function marked(argument: string | number | Uint8Array): string {
  const text = textOf(argument);
  return text === undefined ? `x${bufferOf(argument as Uint8Array).toString("hex")}` : `t${text}`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function runOf(commands: readonly KvCommand[]): Carried {
  if (commands.some(({ length }) => length > MOST_BINARY_ARGUMENTS))
    throw new Error("a command with bytes that are no text has too many arguments");
  const args = commands.flatMap((command) => [String(command.length), ...command.map(marked)]);
  const items = (item: KvItem): readonly KvItem[] | undefined => {
    if ("error" in item) return commands.map(() => item);
    const { result } = item;
    if (!Array.isArray(result) || result.length !== commands.length) return undefined;
    const all = result.map(itemOf);
    return all.includes(undefined) ? undefined : (all as KvItem[]);
  };
  return { command: ["EVAL", RUN, "0", ...args], count: commands.length, items, extra: 1 };
}

function itemOf(pair: unknown): KvItem | undefined {
  if (!Array.isArray(pair) || pair.length !== 2) return undefined;
  const [done, reply] = pair;
  if (done === 1) return { result: reply };
  return done === 0 && Buffer.isBuffer(reply)
    ? { error: reply.toString("latin1").replace(/^-/, "") }
    : undefined;
}

/** Of EVAL alone: a script that the service knows by its hash cannot be given lines. */
function scriptWithBytes([name, script, keyCount, ...rest]: KvCommand): TextCommand | undefined {
  if (/^EVALSHA/i.test(name)) throw new Error("a script called by its hash takes texts only");
  if (!/^EVAL(?:_RO)?$/i.test(name)) return undefined;
  const count = Number(keyCount);
  const keys = asText(["", ...rest.slice(0, count)])?.slice(1);
  const args = rest.slice(count);
  const lists = [
    ...(keys === undefined ? ["KEYS = decoded(KEYS)"] : []),
    ...(args.length > 0 ? ["ARGV = decoded(ARGV)"] : []),
  ];
  const lines = `${BYTES}${DECODED}local ${lists.join("\nlocal ")}\n`;
  // A first line that begins so has to stay the first.
  const [, first = "", body = ""] = /^(#![^\n]*\n)?(.*)$/s.exec(String(script)) ?? [];
  const sentKeys = keys ?? rest.slice(0, count).map(marked);
  return [name, `${first}${lines}${body}`, String(count), ...sentKeys, ...args.map(marked)];
}
