/** Which collections of two stores should be compared with which, and which have no counterpart. */

import type { CollectionInfo, Listing } from "../../../connectors/collection.ts";
import type { Reader } from "../../../connectors/contract.ts";
import type { NotCopied } from "../../../model/collection.ts";
import {
  chooseJobs,
  type Naming,
  NOT_CHOSEN,
  namesInSource,
  renamesFor,
  unreadable,
  type Wanted,
} from "../../plan/plan.ts";
import { hidden, MOST_ASKED, noLongerCopied } from "../../plan/vanished.ts";
import type { DiffPair } from "../diff-job.ts";

export interface Pairs {
  readonly pairs: readonly DiffPair[];
  /** Only in the source, under the name that they would have in the target. */
  readonly missing: readonly { readonly from: CollectionInfo; readonly to: string }[];
  /** Only in the target. */
  readonly extra: readonly CollectionInfo[];
  /** What was wanted of either side, and cannot be compared. */
  readonly lost: readonly (NotCopied & { readonly side: "source" | "target" })[];
  readonly left: readonly { readonly name: string; readonly reason: string; readonly chosen: boolean }[];
  /** Names in the source → names in the target, of all collections. */
  readonly renames: ReadonlyMap<string, string>;
}

/** A primary whose copy lies in a store that may hold other things, too: those have no counterpart and are no difference. */
export interface PrimarySide {
  readonly side: "source" | "target";
  /** What it calls a collection. */
  readonly collection: string;
  /** Collections of the other side that came from it: where it no longer lists one, that is a difference. */
  readonly known: ReadonlySet<string>;
}

/**
 * The same, after asking the other side by name for what it does not list: what it hides is not missing there. What is foreign
 * to a primary is left out then.
 */
export async function withoutHidden(
  pairs: Pairs,
  { source, target }: { readonly source: Reader; readonly target: Reader },
  { wanted, primary }: { readonly wanted: Wanted; readonly primary: PrimarySide | undefined },
  signal: AbortSignal,
): Promise<Pairs> {
  const lost = [...pairs.lost];
  const unwanted: string[] = [];
  const take = (found: NotCopied, side: "source" | "target"): void => {
    if (wanted.excludes?.(found.name) === true) unwanted.push(found.name);
    else lost.push({ ...found, side });
  };
  const foreign: string[] = [];
  const isForeign = (name: string, on: "source" | "target"): boolean =>
    primary !== undefined && primary.side !== on && !primary.known.has(name);
  const unused = pairs.left.filter(({ chosen }) => !chosen);
  const ask = async (store: Reader, names: readonly string[], isOwn: boolean) => {
    const apart = isOwn && primary !== undefined ? noLongerCopied(unused, names) : undefined;
    if (apart !== undefined) return apart;
    return isOwn || foreign.length < MOST_ASKED ? await hidden(store, names, signal) : undefined;
  };
  const extra: CollectionInfo[] = [];
  for (const info of pairs.extra) {
    const isOwn = !isForeign(info.name, "target");
    const found = await ask(source, namesInSource(info.name, wanted), isOwn);
    if (found !== undefined) take(found, "source");
    else if (isOwn) extra.push(info);
    else foreign.push(info.name);
  }
  const missing: Pairs["missing"][number][] = [];
  for (const one of pairs.missing) {
    const isOwn = !isForeign(one.from.name, "source");
    const found = await ask(target, [one.to], isOwn);
    if (found !== undefined) take(found, "target");
    else if (isOwn) missing.push(one);
    else foreign.push(one.from.name);
  }
  const reason = `the ${primary?.side} lists no such ${primary?.collection}`;
  const kept = pairs.left.filter(({ name, chosen }) => chosen || !lost.some((one) => one.name === name));
  const left = [
    ...kept,
    ...unwanted.map((name) => ({ name, reason: NOT_CHOSEN, chosen: true })),
    ...foreign.map((name) => ({ name, reason, chosen: false })),
  ];
  return { ...pairs, lost, extra, missing, left };
}

/** @throws DualsyncError `refused` when a rename or a filter names what is not there */
export function pairUp(source: Listing, target: Listing, wanted: Wanted, naming?: Naming): Pairs {
  const { jobs, lost, copies } = chooseJobs(source, wanted, { renamed: naming?.renamed });
  const unread = new Set(unreadable(target).map(({ name }) => name));
  const there = new Map(target.collections.map((collection) => [collection.name, collection]));
  const pairs: DiffPair[] = [];
  const missing: Pairs["missing"][number][] = [];
  for (const { from, to, filter } of jobs) {
    const existing = there.get(to.name);
    if (existing !== undefined) pairs.push({ from, to: existing, filter });
    else if (!unread.has(to.name)) missing.push({ from, to: to.name });
  }
  const taken = new Set(jobs.map(({ to }) => to.name));
  const others = target.collections.filter(({ name }) => !taken.has(name) && !copies.has(name));
  const renames = renamesFor(source, wanted);
  const isLeft = leftOutOfTarget({ ...wanted, renames });
  return {
    pairs,
    missing,
    extra: others.filter(({ name }) => !isLeft(name)),
    lost: [
      ...lost.map((one) => ({ ...one, side: "source" as const })),
      ...unreadable(target)
        .filter(({ name }) => !isLeft(name))
        .map((one) => ({ ...one, side: "target" as const })),
    ],
    left: leftOut(
      source,
      target,
      others.filter(({ name }) => isLeft(name)),
      wanted,
    ),
    renames,
  };
}

/** Names that are not chosen, and those that a collection would have which is not. */
function leftOutOfTarget({ selects, renames }: Wanted): (name: string) => boolean {
  const renamed = new Set([...renames].filter(([from]) => !selects(from)).map(([, to]) => to));
  return (name) => !selects(name) || renamed.has(name);
}

function leftOut(
  source: Listing,
  target: Listing,
  others: readonly CollectionInfo[],
  wanted: Wanted,
): Pairs["left"] {
  const chosen = [
    ...source.collections.filter(({ name }) => !wanted.selects(name)),
    ...others,
    ...(source.unselected ?? []),
    ...(target.unselected ?? []),
  ];
  const names = new Set(chosen.map(({ name }) => name));
  const system = [...source.notCopied, ...target.notCopied.filter(({ name }) => !isIn(source, name))].filter(
    ({ isLoss }) => isLoss !== true,
  );
  return [
    ...[...names].map((name) => ({ name, reason: NOT_CHOSEN, chosen: true })),
    ...system.map(({ name, reason }) => ({ name, reason, chosen: false })),
  ];
}

function isIn({ notCopied }: Listing, name: string): boolean {
  return notCopied.some((other) => other.name === name);
}
