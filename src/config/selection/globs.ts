import { configurationError } from "../../model/configuration-error.ts";

/** In characters: no collection's name is longer. */
const LONGEST = 255;

export interface Globs {
  /** Empty means every name. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * The names that `include` selects and `exclude` does not, in their order.
 *
 * Matched by hand: to picomatch `/`, `!` and `{}` are syntax, and names may hold them.
 */
export function select(names: readonly string[], { include, exclude }: Globs): string[] {
  return names.filter(
    (name) =>
      (include.length === 0 || include.some((glob) => matches(glob, name))) &&
      !exclude.some((glob) => matches(glob, name)),
  );
}

/** The globs, each once, that match none of the names: probably misspelt. */
export function unmatched(names: readonly string[], { include, exclude }: Globs): string[] {
  return [...new Set([...include, ...exclude])].filter((glob) => !names.some((name) => matches(glob, name)));
}

/** Fails with `usage` for a glob that can match no collection; `flag` is its name in messages. */
export function checkGlobs(globs: readonly string[], flag: string): void {
  for (const glob of globs) {
    const problem = globProblem(glob);
    if (problem !== undefined) {
      throw configurationError(
        `${flag} has a value that ${problem}.`,
        "Write a collection's name; * stands for any characters and ? for one.",
      );
    }
  }
}

/** Why no collection can be meant, in words that follow "a name that"; or undefined. */
export function globProblem(glob: string): string | undefined {
  if (glob.trim() === "") return "is empty";
  if (glob.includes("\0")) return "contains a NUL character";
  return [...glob].length > LONGEST ? `is longer than ${LONGEST} characters` : undefined;
}

/**
 * Whether a glob matches the whole name: `*` is any characters, `?` is one, everything else is itself. Only the last
 * `*` is ever moved, so that the time is bounded by the length of the name times that of the glob.
 */
export function matches(glob: string, name: string): boolean {
  const pattern = [...glob];
  const text = [...name];
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    if (pattern[at] === "*") {
      star = at;
      resume = position;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[position])) {
      at += 1;
      position += 1;
    } else if (star !== -1) {
      at = star + 1;
      resume += 1;
      position = resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
