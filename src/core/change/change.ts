/**
 * Making changes: what of them is to be done, and what became of each. What reads back differently is not written again:
 * it may be somebody else's by now. `core/copy/verify.ts`, which proves what its own run wrote, does that.
 */
import type { WriteSession } from "../../connectors/contract.ts";
import type { Rejected } from "../../connectors/write-outcome.ts";
import type { Doc } from "../../model/document.ts";
import { canQuery } from "../walk/lookup.ts";
import {
  type Due,
  findAll,
  isAsBefore,
  isWanted,
  type Place,
  type ReadBack,
  type WantedDocument,
  type Writing,
  writeAndReadBack,
} from "./write-and-verify.ts";

/** One document of a target that should be changed. */
export interface Change extends WantedDocument {
  /** Bytes that the target's document is believed to take up: bounds what is read at once. */
  readonly bytes?: number | undefined;
  /** Whether what the target holds now, or that it holds nothing, may be changed. */
  accepts(found: Doc | undefined): boolean;
}

/**
 * `changed`: done, and seen to be so. `unchanged`: it was so already. `conflict`: the target holds something else than
 * was expected, and was left as it is. `refused`: the server did not take it, or does not hold it as it was written.
 */
export interface Outcome {
  readonly change: Change;
  readonly result: "changed" | "unchanged" | "conflict" | "refused";
  /** For people, without any value of the document; of conflicts and refusals. */
  readonly reason?: string | undefined;
  /** What stood in its way may be gone once other documents are changed: another try is no harm. */
  readonly retry?: true | undefined;
}

export interface ChangeOptions
  extends Pick<Writing, "journaling" | "saved" | "originalOf" | "onLost" | "altered" | "signal"> {
  /** Documents that hold one another's unique values are exchanged. Default: true. */
  readonly resolvesSwaps?: boolean | undefined;
}

/** Where and how changes are made. */
export interface ChangeContext extends ChangeOptions, Place {
  /** Without one the changes are only looked at: what would be changed counts as changed. */
  readonly session: WriteSession | undefined;
  readonly saved: Map<string, string>;
}

/** A context that may write. */
export interface WithSession {
  readonly session: WriteSession;
}

/** Makes a few changes at once: looks, saves, writes, looks again. */
export async function applyChunk(work: ChangeContext, chunk: readonly Change[]): Promise<readonly Outcome[]> {
  const { session } = work;
  const found = await findAll(work, chunk);
  const outcomes: Outcome[] = [];
  const due: Due<Change>[] = [];
  for (const change of chunk) {
    const before = found.get(change.id.key);
    const settled = precheck(work, change, before);
    if (settled === undefined) due.push({ change, before });
    else outcomes.push(settled);
  }
  if (session === undefined)
    return [...outcomes, ...due.map(({ change }) => ({ change, result: "changed" as const }))];
  if (due.length === 0) return outcomes;
  const { readBack, rejected } = await writeAndReadBack({ ...work, session }, due, "first");
  const refused = new Map(rejected.map((one) => [one.id.key, one]));
  return [...outcomes, ...readBack.map((one) => outcomeOf(one, refused.get(one.change.id.key)))];
}

/** The outcome of what is not to be done; undefined for a change that is. */
export function precheck(work: ChangeContext, change: Change, found: Doc | undefined): Outcome | undefined {
  const conflict = (reason: string): Outcome => ({ change, result: "conflict", reason });
  if (!canQuery(work.target, change.id)) return conflict("its _id cannot be used in a query");
  // What the target's own rules alter counts here: it is not known before it is written that they make the same of it again.
  if (isWanted({ ...work, altered: undefined }, change, found)) return { change, result: "unchanged" };
  if (change.accepts(found)) return undefined;
  if (isWanted(work, change, found)) return { change, result: "unchanged" };
  return conflict(
    found === undefined ? "it is no longer in the target" : "it has changed in the target since",
  );
}

function outcomeOf(one: ReadBack<Change>, rejected: Rejected | undefined): Outcome {
  const { change, after, isHeld } = one;
  if (isHeld) return { change, result: "changed" };
  if (rejected !== undefined) {
    const result = rejected.occupied === true ? "conflict" : "refused";
    const { occupied, blocked, waits, reason } = rejected;
    return { change, result, reason, retry: occupied ?? blocked ?? waits };
  }
  // Never written again: it may be somebody else's by now.
  const reason =
    after === undefined
      ? "it was written but is missing again: does another program remove it, or does it expire?"
      : change.wanted === undefined
        ? "it was removed but is back: does another program write it?"
        : isAsBefore(one)
          ? "it was not written, although the target reports no error: it still holds what it held before"
          : "it was written but reads back differently: does another program or the server change it?";
  return { change, result: "refused", reason };
}
