/** How an interrupted run is written down as JSON, and read again: every field is validated. */
import { DualsyncError } from "../../model/errors.ts";
import type { VerifyMode } from "../plan/verify-mode.ts";
import type { SavedProgress } from "./progress.ts";
import {
  count,
  date,
  idFromJson,
  idToJson,
  type Json,
  list,
  object,
  rangeFromJson,
  rangeToJson,
  text,
} from "./saved-json.ts";
import { COUNTS, type Counts } from "./tally.ts";

export interface SavedRun {
  /** Ties this memory to what the target remembers of the same run. */
  readonly token: string;
  /** When the first of the runs that belong together began. */
  readonly since: Date;
  readonly saved: Date;
  /** How what is done was proved, at the least. */
  readonly verify: VerifyMode;
  readonly collections: readonly SavedProgress[];
}

export function toJson(run: SavedRun): Json {
  return {
    token: run.token,
    since: run.since.toISOString(),
    saved: run.saved.toISOString(),
    verify: run.verify,
    collections: run.collections.map((collection) => ({
      name: collection.name,
      source: collection.uids.source,
      target: collection.uids.target,
      remaining: collection.remaining.map(rangeToJson),
      extras: collection.extras.map(({ range, documents }) => [...rangeToJson(range), documents]),
      counts: Object.fromEntries(COUNTS.map((name) => [name, collection.counts[name]])),
      losses: collection.losses,
      blocked: collection.blocked.map(({ id, reason }) => [idToJson(id), reason]),
    })),
  };
}

/** @throws DualsyncError `local` when this is not what `toJson` makes; `path` names the file */
export function fromJson(content: unknown, path: string): SavedRun {
  try {
    const run = object(content);
    const verify = text(run.verify);
    if (verify !== "content" && verify !== "counts" && verify !== "none") throw new TypeError("verify");
    return {
      token: text(run.token),
      since: date(run.since),
      saved: date(run.saved),
      verify,
      collections: list(run.collections).map(progressFromJson),
    };
  } catch (cause) {
    throw new DualsyncError("local", `The state file ${path} does not hold the state of a run.`, {
      hint: "Nothing was changed. Run with --restart to discard it and read everything again.",
      cause,
    });
  }
}

function progressFromJson(content: unknown): SavedProgress {
  const saved = object(content);
  const losses = object(saved.losses);
  const counts = object(saved.counts);
  return {
    name: text(saved.name),
    uids: { source: text(saved.source), target: text(saved.target) },
    remaining: list(saved.remaining).map((entry) => rangeFromJson(list(entry))),
    extras: list(saved.extras).map((entry) => ({
      range: rangeFromJson(list(entry)),
      documents: count(list(entry)[2]),
    })),
    counts: Object.fromEntries(COUNTS.map((name) => [name, count(counts[name] ?? 0)])) as Counts,
    losses: {
      items: list(losses.items).map((entry) => [text(list(entry)[0]), text(list(entry)[1])] as const),
      unnamed: count(losses.unnamed),
      unnamedCounted: count(losses.unnamedCounted),
      // Earlier versions did not save it.
      usedAcceptances: list(losses.usedAcceptances ?? []).map(text),
    },
    blocked: list(saved.blocked ?? []).map((entry) => {
      const [id, reason] = list(entry);
      return { id: idFromJson(id), reason: text(reason) };
    }),
  };
}
