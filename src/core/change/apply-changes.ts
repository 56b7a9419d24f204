/** Changes single documents of a target: each is looked at, saved where that is asked for, changed, and read back. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import type { Change, ChangeContext, ChangeOptions, Outcome } from "./change.ts";
import { applyChunk } from "./change.ts";
import { settleBlocked } from "./settle-blocked.ts";

/** Bytes and documents of a round trip. */
const CHUNK = { count: 500, bytes: 8_000_000 };

/**
 * Makes the changes, which the caller bounds: all are in memory. Removals come first, then replacements, then what is
 * new, so that unique values are free by the time that they are needed; what others still block then is tried again.
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
  for (const chunk of chunksOf([...removals, ...others], bytesOf, CHUNK))
    outcomes.push(...(await applyChunk(work, chunk)));
  const blocked = outcomes.filter(({ retry }) => retry);
  if (blocked.length === 0 || session === undefined) return outcomes;
  const byId = new Map(blocked.map(({ change }) => [change.id.key, change]));
  const ids = [...byId.values()].map(({ id }) => id);
  const settled = await settleBlocked({ ...work, session }, ids, async (some) =>
    some.map(({ key }) => byId.get(key)).filter((change) => change !== undefined),
  );
  const results = new Map(settled.map(({ id, ...result }) => [id.key, result]));
  return outcomes.map((outcome) => {
    const { change } = outcome;
    const result = outcome.retry ? results.get(change.id.key) : undefined;
    return result === undefined ? outcome : { change, ...result };
  });
}

function bytesOf({ wanted, bytes }: Change): number {
  return Math.max(wanted?.length ?? 0, bytes ?? 0);
}
