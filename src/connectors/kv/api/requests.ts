import { type Carried, carried } from "./binary.ts";
import type { KvCommand } from "./commands.ts";

/** Commands that are sent together. */
export interface RequestPart {
  readonly commands: readonly KvCommand[];
  readonly carried: readonly Carried[];
  /** What each command is billed. */
  readonly bills: readonly number[];
  /** What all of it is billed. */
  readonly weight: number;
}

/** Bytes of a body. The service's own limit, which is lower for some plans. */
export const LARGEST_REQUEST = 10 * 1024 * 1024;

const MOST_COMMANDS = 500;
const MOST_BYTES = 1024 * 1024;

/** As few parts as fit; a command that is larger by itself goes alone. */
export function cut(
  commands: readonly KvCommand[],
  bills: readonly number[],
  most = MOST_COMMANDS,
): RequestPart[] {
  const parts: RequestPart[] = [];
  let from = 0;
  let bytes = 0;
  for (const [at, command] of commands.entries()) {
    const size = sizeOf(command);
    if (at > from && (at - from >= Math.min(most, MOST_COMMANDS) || bytes + size > MOST_BYTES)) {
      parts.push(partOf(commands.slice(from, at), bills.slice(from, at)));
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  return [...parts, partOf(commands.slice(from), bills.slice(from))];
}

export function halves({ commands, bills }: RequestPart): RequestPart[] {
  const middle = commands.length >> 1;
  return [
    partOf(commands.slice(0, middle), bills.slice(0, middle)),
    partOf(commands.slice(middle), bills.slice(middle)),
  ];
}

export function partOf(commands: readonly KvCommand[], bills: readonly number[]): RequestPart {
  const all = carried(commands);
  const weight = [...bills, ...all.map(({ extra }) => extra)].reduce((sum, one) => sum + one, 0);
  return { commands, carried: all, bills, weight };
}

/** Bytes of its arguments, before anything is done to send them as text. */
function sizeOf(command: KvCommand): number {
  let size = 0;
  for (const argument of command)
    size += argument instanceof Uint8Array ? argument.length : Buffer.byteLength(String(argument));
  return size;
}
