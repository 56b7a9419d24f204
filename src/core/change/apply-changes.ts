/** Changes single documents of a target: each is looked at, saved where that is asked for, changed, and read back. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import type { Change, ChangeContext, ChangeOptions, Outcome } from "./change.ts";
import { applyChunk } from "./change.ts";
import { resolveSwaps } from "./unique-swaps.ts";

/** Bytes and documents of a round trip. */
const CHUNK = { count: 500, bytes: 8_000_000 };

/**
 * Makes the changes, which the caller bounds: all are in memory. Removals come first, then replacements, then what is
 * new, so that unique values are free by the time that they are needed; what is refused is tried again for as long as
 * that helps.
 * @returns one outcome for each change
 */
export async function applyChanges(
  { target, session }: Pick<ChangeContext, "target" | "session">,
  collection: CollectionInfo,
  changes: readonly Change[],
  options: ChangeOptions,
): Promise<readonly Outcome[]> {
  const { saved = new Map() } = options;
  const work: ChangeContext = { ...options, saved, target, session, collection };
  const removals = changes.filter(({ wanted }) => wanted === undefined);
  const others = changes.filter(({ wanted }) => wanted !== undefined);
  const outcomes: Outcome[] = [];
  let tried = await inChunks(work, [...removals, ...others]);
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const blocked = tried.filter(({ retry }) => retry);
    outcomes.push(...tried.filter(({ retry }) => !retry));
    if (blocked.length === 0) return outcomes;
    if (blocked.length < before) {
      before = blocked.length;
      // The other way round: of values that moved up by one, the last must move first.
      tried = await inChunks(work, blocked.map(({ change }) => change).reverse());
      continue;
    }
    tried = work.resolvesSwaps === false ? blocked : await swapped(work, blocked);
    if (tried.every(({ retry }) => retry)) return [...outcomes, ...tried];
    before = Number.POSITIVE_INFINITY;
  }
}

/** What is still refused may be so because two documents exchange a value. */
async function swapped(work: ChangeContext, blocked: readonly Outcome[]): Promise<readonly Outcome[]> {
  const made = new Map<Change, Outcome>();
  for (const chunk of chunksOf(
    blocked.map(({ change }) => change),
    bytesOf,
    CHUNK,
  ))
    for (const outcome of await resolveSwaps(work, chunk)) made.set(outcome.change, outcome);
  return blocked.map((outcome) => made.get(outcome.change) ?? outcome);
}

async function inChunks(work: ChangeContext, changes: readonly Change[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const chunk of chunksOf(changes, bytesOf, CHUNK)) outcomes.push(...(await applyChunk(work, chunk)));
  return outcomes;
}

function bytesOf({ wanted, bytes }: Change): number {
  return Math.max(wanted?.length ?? 0, bytes ?? 0);
}
