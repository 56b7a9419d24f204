/** What is behind the words with which a command, or a whole request, is refused. The words themselves hold keys and values. */

import type { Fault } from "../../http/fault.ts";

/** Refusals that are about the store or the token, and not about the command: names of failures. */
export type StoreRefusal =
  | "quota-daily"
  | "quota"
  | "capacity"
  | "too-many-requests"
  | "token-refused"
  | "token-limited";

// What stands before the words may only be words: other texts repeat what a client sent.
const STORE_REFUSALS: readonly (readonly [RegExp, StoreRefusal])[] = [
  [/^ERR max daily requests? limit exceeded/i, "quota-daily"],
  [/^ERR max (?:monthly )?requests? limit exceeded/i, "quota"],
  [/^ERR [a-z ]*\b(?:budget|bandwidth)\b/i, "quota"],
  [/^ERR (?:DB|database) capacity quota exceeded/i, "capacity"],
  [
    /^ERR (?:max concurrent connections exceeded|[a-z ]*(?:too many requests|rate.?limit))/i,
    "too-many-requests",
  ],
  [/^(?:WRONGPASS|NOAUTH)\b/, "token-refused"],
  [/^NOPERM\b/, "token-limited"],
];

export function storeRefusalIn(text: string): StoreRefusal | undefined {
  return STORE_REFUSALS.find(([words]) => words.test(text))?.[1];
}

/** Refusals of one command for which the service has no code of its own but ERR. */
const COMMAND_CODES: readonly (readonly [RegExp, string])[] = [
  [/^ERR max (?:request|single record|record) size exceeded/i, "TOOLARGE"],
  [/^ERR max key size exceeded/i, "KEYTOOLONG"],
  [
    /^ERR (?:command is not available|command "[^"]*" is not allowed|unknown (?:redis )?command)/i,
    "NOCOMMAND",
  ],
];

/** See `KvRefusal.code`. */
export function codeIn(text: string): string {
  const known = COMMAND_CODES.find(([words]) => words.test(text))?.[1];
  return known ?? /^[A-Z][A-Z0-9]{1,30}(?= |$)/.exec(text)?.[0] ?? "ERR";
}

/** The code with which a whole request is refused for its commands. */
export function commandCodeOf({ reason, code = "" }: Fault): string | undefined {
  return reason === "status" && /^[A-Z]/.test(code) ? code : undefined;
}

/** What a command is billed that is refused so; `most`: if it is run. What is not begun is billed nothing. */
export function billedOf(text: string, most: number): number {
  if (storeRefusalIn(text) !== undefined) return 0;
  const code = codeIn(text);
  if (code === "KEYTOOLONG" || code === "NOCOMMAND") return 0;
  return code === "NOSCRIPT" ? Math.min(1, most) : most;
}
