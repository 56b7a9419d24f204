import { createHash } from "node:crypto";

/** One side of a job. It has no place for a user or a password. */
export interface JobPlace {
  readonly hosts: readonly string[];
  readonly database: string;
}

/** What makes a job the same job as an earlier one. */
export interface JobParts {
  readonly command: string;
  readonly source: JobPlace;
  readonly target: JobPlace;
  /** The filter of each collection, each in one canonical text. */
  readonly filters: ReadonlyMap<string, string>;
  readonly renames: ReadonlyMap<string, string>;
}

/**
 * A name for the job: 32 hexadecimal digits, equal for equal parts. The order of hosts, filters and renames does not
 * matter; everything else does.
 */
export function jobKey(parts: JobParts): string {
  const { command, source, target, filters, renames } = parts;
  // JSON quotes every text, so that no two lists of parts have one text in common.
  const text = JSON.stringify([command, place(source), place(target), pairs(filters), pairs(renames)]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function place({ hosts, database }: JobPlace): unknown {
  return [[...hosts].sort(), database];
}

function pairs(map: ReadonlyMap<string, string>): unknown {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}
