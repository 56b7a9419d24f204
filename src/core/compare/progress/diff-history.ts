/** What is remembered of a pair of stores between two comparisons, as JSON. When it is read again every field is validated. */
import { DualsyncError } from "../../../model/errors.ts";
import type { PastComparison } from "../../../model/reporter.ts";
import { count, date, type Json, list, object, text } from "../../progress/saved-json.ts";
import type { SavedDiffProgress } from "./diff-progress.ts";
import { progressFromJson, progressToJson } from "./saved-diff.ts";

/** Differences of which the first observation is remembered. */
const MOST_SEEN = 10_000;
/** Comparisons that are remembered. */
const MOST_PAST = 30;

/** A comparison that did not finish. */
export interface Interrupted {
  /** When the first of the runs began that belong together. */
  readonly since: Date;
  readonly saved: Date;
  /** Whether equal meant equal byte for byte. */
  readonly exact: boolean;
  readonly collections: readonly SavedDiffProgress[];
}

export interface Memory {
  /** When each difference was seen first, by its key. */
  readonly seen: ReadonlyMap<string, Date>;
  /** Newest first. */
  readonly past: readonly PastComparison[];
  readonly interrupted?: Interrupted | undefined;
}

export const NOTHING: Memory = { seen: new Map(), past: [] };

export function memoryToJson({ seen, past, interrupted }: Memory): Json {
  return {
    seen: [...seen].slice(0, MOST_SEEN).map(([key, first]) => [key, first.toISOString()]),
    past: past.slice(0, MOST_PAST),
    ...(interrupted === undefined
      ? {}
      : {
          interrupted: {
            since: interrupted.since,
            saved: interrupted.saved,
            exact: interrupted.exact,
            collections: interrupted.collections.map(progressToJson),
          },
        }),
  };
}

/** @throws DualsyncError `local` when this is not what `memoryToJson` makes; `path` names the file */
export function memoryFromJson(content: unknown, path: string): Memory {
  try {
    const memory = object(content);
    return {
      seen: new Map(list(memory.seen).map((entry) => [text(list(entry)[0]), date(list(entry)[1])] as const)),
      past: list(memory.past).map(pastFromJson),
      ...(memory.interrupted === undefined
        ? {}
        : { interrupted: interruptedFromJson(object(memory.interrupted)) }),
    };
  } catch (cause) {
    throw new DualsyncError("local", `The state file ${path} does not hold the state of a comparison.`, {
      hint: "Nothing was changed. Run with --restart to discard it and compare everything again.",
      cause,
    });
  }
}

function interruptedFromJson({ since, saved, exact, collections }: Json): Interrupted {
  return {
    since: date(since),
    saved: date(saved),
    exact: exact === true,
    collections: list(collections).map(progressFromJson),
  };
}

function pastFromJson(content: unknown): PastComparison {
  const past = object(content);
  return {
    started: date(past.started),
    ended: date(past.ended),
    exitCode: count(past.exitCode),
    documents: count(past.documents),
    differences: count(past.differences),
    verdict: text(past.verdict),
  };
}
