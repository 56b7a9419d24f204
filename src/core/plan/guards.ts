/** What keeps a wrong command from doing harm. Everything here only looks, and refuses. */

import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Lease, Reader } from "../../connectors/contract.ts";
import type { History } from "../../connectors/powers/run-history.ts";
import { DualsyncError } from "../../model/errors.ts";
import { shellWord } from "../../model/shell-word.ts";
import { openRestores } from "../restore/open-restores.ts";
import type { PlannedJob } from "./plan.ts";
import { oneStore } from "./same-store.ts";
import type { StoreSnapshot } from "./snapshot.ts";

/**
 * Proves that source and target are two stores: what this run wrote into the target must not be visible through the
 * source's connection, whatever the addresses look like.
 * @throws DualsyncError `refused` when it is
 */
export async function assertDifferentStores(
  source: Reader,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  if ((await source.history?.seesNonce(lease.nonce, signal)) !== true) return;
  throw oneStore(source.label);
}

/**
 * A store that a restore has left half-way holds neither what it held before nor what its copy holds: nothing is copied from it,
 * compared or repaired by it.
 * @throws DualsyncError `refused`
 */
export function assertNotHalfRestored({ label, history }: Pick<StoreSnapshot, "label" | "history">): void {
  const open = openRestores(history).at(-1);
  if (open === undefined) return;
  const { run, from, since } = open;
  const time = since.toISOString().slice(0, 16).replace("T", " ");
  throw new DualsyncError(
    "refused",
    `The source ${label} is being restored: run ${run}, from ${from}, began at ${time} UTC and is not complete.`,
    {
      hint: `Nothing was changed. If it is not running any more, run the same dualsync restore again to complete it, or dualsync undo ${run} to take it back.`,
    },
  );
}

/**
 * Refuses to restore into a copy of what should be restored from: such a store was filled from there, so the two sides are swapped.
 * @throws DualsyncError `refused`
 */
export function assertNotItsCopy(source: StoreSnapshot, target: StoreSnapshot): void {
  const { lastRun, collections } = target.history;
  const { listing } = source;
  const uids = new Set([...listing.collections, ...(listing.unselected ?? [])].map(({ uid }) => uid));
  const { collections: listed, unselected = [] } = target.listing;
  const there = new Set([...listed, ...unselected].map(({ uid }) => uid));
  const isCopied = [...collections.values()].some(
    ({ uid, from, source: original }) =>
      there.has(uid) && (from === source.label || (original !== undefined && uids.has(original))),
  );
  if (!isCopied && lastRun?.from !== source.label) return;
  const filled = lastRun?.from === source.label ? `dualsync ${lastRun.command}` : "dualsync";
  throw new DualsyncError(
    "refused",
    `The target ${target.label} is a copy of ${source.label}: ${filled} filled it from there. A restore goes from the copy to the original.`,
    {
      hint: "Nothing was changed. Swap --from and --to, or the variables they come from.",
    },
  );
}

/**
 * Refuses to copy a copy back over its original: the source remembers from where dualsync filled it. Collections show
 * it for certain; the address alone does where nobody has said that the target should be overwritten. A target that is
 * known to have been a copy of this source may become one again when its name is given.
 * @throws DualsyncError `refused`
 */
export function assertNotSwapped(source: StoreSnapshot, target: StoreSnapshot, named: boolean): void {
  if (!target.listing.collections.some(({ documents }) => documents > 0)) return;
  const there = new Set(target.listing.collections.map(({ uid }) => uid));
  const { lastRun, collections } = source.history;
  const back = target.history.lastRun?.from === source.label ? target.history.lastRun : undefined;
  // An original that was restored from its copy: each was filled from the other, and what was filled last is the copy.
  if (back !== undefined && (named || lastRun === undefined || back.since > lastRun.since)) return;
  const byCollection = [...collections.values()].some(
    (provenance) => provenance.source !== undefined && there.has(provenance.source),
  );
  const byAddress = !named && lastRun?.from === target.label;
  if (!byCollection && !byAddress) return;
  const when = lastRun === undefined ? "" : ` (last on ${lastRun.since.toISOString().slice(0, 10)})`;
  throw new DualsyncError(
    "refused",
    `Source and target look swapped: dualsync filled ${source.label} from ${target.label}${when}; this command would overwrite the original with its copy.`,
    {
      hint: `Nothing was changed. Swap --from and --to, or the variables they come from.${hintOf(byCollection, back !== undefined)}`,
    },
  );
}

function hintOf(byCollection: boolean, restored: boolean): string {
  if (restored)
    return " If the source was restored from this copy and is the original again, add --into-existing with the target's name once.";
  return byCollection
    ? ""
    : " If another database is at that address now, add --into-existing with its name.";
}

/**
 * The jobs whose collection in the target holds documents that dualsync did not put there from this source, or put there from
 * another collection of it, which is still there.
 */
export function unmanagedJobs(
  jobs: readonly PlannedJob[],
  source: StoreSnapshot,
  target: StoreSnapshot,
): PlannedJob[] {
  const there = new Map(target.listing.collections.map((collection) => [collection.name, collection]));
  return jobs.filter(({ from, to }) => {
    const existing = there.get(to.name);
    if (existing === undefined || existing.documents === 0) return false;
    if (otherOrigin(from, existing, source, target) !== undefined) return true;
    return !isCopyOf(from, existing, source.label, target.history);
  });
}

/** The name of the other collection of the source that this one is known to be a copy of. */
function otherOrigin(
  from: CollectionInfo,
  existing: CollectionInfo,
  { listing, uidsHoldNames }: StoreSnapshot,
  { history }: StoreSnapshot,
): string | undefined {
  if (!uidsHoldNames) return undefined;
  const known = history.collections.get(existing.name);
  if (known?.source === undefined || known.uid !== existing.uid) return undefined;
  const all = [...listing.collections, ...(listing.unselected ?? [])];
  return all.find(({ name, uid }) => name !== from.name && uid === known.source)?.name;
}

function isCopyOf(
  from: CollectionInfo,
  existing: CollectionInfo,
  sourceLabel: string,
  { collections }: History,
): boolean {
  const known = collections.get(existing.name);
  if (known === undefined || known.uid !== existing.uid) return false;
  return known.from === sourceLabel || (known.source !== undefined && known.source === from.uid);
}

/** @throws DualsyncError `refused` when the target holds what is not known to be a copy of this source */
export function assertManaged(
  foreign: readonly PlannedJob[],
  source: StoreSnapshot,
  target: StoreSnapshot,
  database: string,
): void {
  if (foreign.length === 0) return;
  const there = new Map(target.listing.collections.map((collection) => [collection.name, collection]));
  const some = foreign.slice(0, 5).map(({ to }) => {
    const { documents = 0 } = there.get(to.name) ?? {};
    return `${JSON.stringify(to.name)} (${documents.toLocaleString("en-US")})`;
  });
  const more = foreign.length > some.length ? ` and ${foreign.length - some.length} more` : "";
  const before = mixUpOf(foreign, source, target) ?? originOf(foreign, target);
  throw new DualsyncError(
    "refused",
    `The target ${target.label} holds documents that dualsync did not copy there from the same collections of this source: ${some.join(", ")}${more}.${before}`,
    {
      hint: `Nothing was changed. Is this the right target? To make it this source's copy, add --into-existing ${shellWord(database)} once; with --dry-run, that shows what would be replaced.`,
    },
  );
}

/** A sentence on the first of them that is the copy of another collection of the same source. */
function mixUpOf(
  foreign: readonly PlannedJob[],
  source: StoreSnapshot,
  target: StoreSnapshot,
): string | undefined {
  const there = new Map(target.listing.collections.map((collection) => [collection.name, collection]));
  for (const { from, to } of foreign) {
    const existing = there.get(to.name);
    const origin = existing && otherOrigin(from, existing, source, target);
    if (origin === undefined) continue;
    const [copy, original, other] = [to.name, origin, from.name].map((name) => JSON.stringify(name));
    return ` ${copy} is the copy of ${original}, not of ${other}: to keep both, give ${other} another name with --rename.`;
  }
  return undefined;
}

function originOf(foreign: readonly PlannedJob[], target: StoreSnapshot): string {
  const origins = new Set(
    foreign
      .map(({ to }) => target.history.collections.get(to.name)?.from)
      .filter((from) => from !== undefined),
  );
  const [origin] = origins;
  return origin === undefined ? "" : ` They were copied from ${origin}.`;
}
