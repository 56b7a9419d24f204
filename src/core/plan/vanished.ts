/** What was copied from a source before and is no longer listed there: dropped, renamed, or hidden because a permission is missing. */

import type { Listing } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { KeptCopy } from "../../connectors/powers/kept-copies.ts";
import type { NotCopied } from "../../model/collection.ts";
import { type Jobs, NOT_CHOSEN, namesInSource, someOf, type Wanted } from "./plan.ts";
import type { StoreSnapshot } from "./snapshot.ts";

const GONE = "it was copied before, but the source no longer lists it: dropped or renamed";

/** Names in the target of such collections that hold documents and were not left out by the person. */
export function vanished(
  { jobs, copies }: Pick<Jobs, "jobs" | "copies">,
  source: StoreSnapshot,
  target: StoreSnapshot,
  wanted: Wanted,
): string[] {
  const known = new Set([...jobs.map(({ to }) => to.name), ...copies]);
  const holding = new Set(
    target.listing.collections.filter(({ documents }) => documents > 0).map(({ name }) => name),
  );
  return [...target.history.collections]
    .filter(([name, { from }]) => from === source.label && holding.has(name) && !known.has(name))
    .map(([name]) => name)
    .filter((name) => namesInSource(name, wanted).every(wanted.selects));
}

/** Those collections as losses: under the source's name where it turns out to be there. */
export async function vanishedLosses(
  names: readonly string[],
  { source, notCopied }: { readonly source: Reader; readonly notCopied: Listing["notCopied"] },
  wanted: Wanted,
  signal: AbortSignal,
): Promise<readonly NotCopied[]> {
  const losses: NotCopied[] = [];
  for (const name of names)
    losses.push(
      noLongerCopied(notCopied, namesInSource(name, wanted)) ??
        (await hidden(source, namesInSource(name, wanted), signal)) ??
        lost(source, name),
    );
  return losses;
}

function lost({ words }: Reader, name: string): NotCopied {
  return { name, reason: words.hidden?.gone ?? GONE, isLoss: true };
}

/** What earlier ones of several copies held, and the source has no more. */
export interface GoneSince {
  /** Where the source may hide it. */
  readonly losses: readonly NotCopied[];
  /** What this run is not to copy: the next one that is misses it. */
  readonly unselected: readonly NotCopied[];
  readonly notes: readonly string[];
}

/** For a target that keeps its copies: each run writes all of them anew, so that what vanishes would be missed by nobody. */
export async function goneSince(
  kept: readonly KeptCopy[],
  { jobs, notCopied }: Pick<Jobs, "jobs" | "notCopied">,
  source: Reader,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<GoneSince> {
  const before = heldBefore(kept, source.label);
  const copied = notCopied.filter(({ isLoss, reason }) => isLoss === true || reason === NOT_CHOSEN);
  const listed = new Set([...jobs.map(({ from }) => from.name), ...copied.map(({ name }) => name)]);
  const gone = [...before.keys()].filter((name) =>
    namesInSource(name, wanted).every((one) => !listed.has(one)),
  );
  const isSelected = (name: string): boolean => namesInSource(name, wanted).every(wanted.selects);
  const missed = gone.filter(isSelected);
  const emptied = jobs.filter(({ from, to }) => from.documents === 0 && (before.get(to.name) ?? 0) > 0);
  const { hidden: words } = source.words;
  const inDoubt = emptied.filter(({ from }) => from.mayBeHidden === true && words !== undefined);
  const losses = inDoubt.map(({ from: { name } }): NotCopied => {
    const reason = `an earlier copy holds documents, and it ${words?.givesNothing}: ${words?.whyEmpty}`;
    return { name, reason, isLoss: true };
  });
  const hides = source.hiding !== undefined;
  if (hides) losses.push(...(await vanishedLosses(missed, { source, notCopied }, wanted, signal)));
  const seen = emptied.filter((job) => !inDoubt.includes(job)).map(({ from }) => from.name);
  const notes = [
    ["no longer in the source", hides ? [] : missed],
    ["empty now", seen],
  ] as const;
  return {
    losses,
    unselected: gone.filter((name) => !isSelected(name)).map((name) => ({ name, reason: NOT_CHOSEN })),
    notes: notes.flatMap(([what, names]) =>
      names.length === 0 ? [] : [`In an earlier copy, and ${what}: ${someOf(names)}.`],
    ),
  };
}

/**
 * What copies of this source hold → how many documents, by the newest one that was to hold it. What was lost there counts as held until
 * a person accepts that; what was left out there on purpose is looked for in the one before.
 */
function heldBefore(kept: readonly KeptCopy[], source: string): ReadonlyMap<string, number> {
  const now = Date.now();
  const held = new Map<string, number>();
  const decided = new Set<string>();
  // What a wrong clock made later is not the last one.
  const own = kept.filter(
    (one) => one.problem === undefined && one.source === source && one.since.getTime() <= now,
  );
  const names = new Set(
    own.flatMap(({ holds, lacks }) => [...holds.keys(), ...lacks.map(({ name }) => name)]),
  );
  for (const { holds, lacks } of own.toReversed()) {
    const lacking = new Map(lacks.map((one) => [one.name, one]));
    for (const name of names) {
      const lack = lacking.get(name);
      if (decided.has(name) || lack?.reason === NOT_CHOSEN) continue;
      decided.add(name);
      if (lack?.isLoss === true) held.set(name, Math.max(1, holds.get(name) ?? 0));
      else if (lack === undefined && holds.has(name)) held.set(name, holds.get(name) ?? 0);
    }
  }
  return held;
}

/** What is listed under one of these names and is not copied, of which there is a copy from before; undefined: nothing. */
export function noLongerCopied(
  notCopied: readonly Pick<NotCopied, "name" | "reason">[],
  names: readonly string[],
): NotCopied | undefined {
  const found = notCopied.find(({ name }) => names.includes(name));
  if (found === undefined) return undefined;
  const rest = "it was copied before, and that copy stays as it is: drop it, or keep it and add --accept";
  return { name: found.name, reason: `${found.reason}; ${rest}`, isLoss: true };
}

/** Names of one store that the other is asked for though nothing shows that they were copied from there. */
export const MOST_ASKED = 100;

/** What else the target has, no job writes, and the source hides: by the names in the target. */
export async function hiddenBeside(
  { jobs, copies }: Pick<Jobs, "jobs" | "copies">,
  { source, listing }: { readonly source: Reader; readonly listing: Listing },
  wanted: Wanted,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, NotCopied>> {
  const known = new Set([...jobs.map(({ to }) => to.name), ...copies]);
  const names = listing.collections.map(({ name }) => name).filter((name) => !known.has(name));
  const found = new Map<string, NotCopied>();
  for (const name of names.slice(0, MOST_ASKED)) {
    const own = namesInSource(name, wanted);
    const one = own.every(wanted.selects) ? await hidden(source, own, signal) : undefined;
    if (one !== undefined) found.set(name, one);
  }
  return found;
}

/** What one of these names stands for in a store that does not list it, and why that is so; undefined: nothing. */
export async function hidden(
  store: Reader,
  names: readonly string[],
  signal: AbortSignal,
): Promise<NotCopied | undefined> {
  for (const name of names) {
    const reason = await store.hiding?.reason(name, signal);
    if (reason !== undefined) return { name, reason, isLoss: true };
  }
  return undefined;
}
