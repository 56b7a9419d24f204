import { DualsyncError } from "./errors.ts";

/**
 * A mistake in flags, variables or addresses. The message never repeats what was typed there (it may be a secret);
 * the hint says what to write instead.
 */
export function configurationError(message: string, hint: string): DualsyncError {
  return new DualsyncError("usage", `${message} Nothing was contacted.`, { hint });
}

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[], conjunction = "and"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}
