/** Reading a range of two collections, in the cheapest way that is exact. */

import type { IdRange } from "../../connectors/collection.ts";
import type { Digester, RecordDigester } from "../../connectors/powers/digests.ts";
import type { Tier } from "../../model/reporter.ts";
import { SeenIds } from "../../model/seen-ids.ts";
import { findExtras, inOrder, isMerged, mergeOrLookUp, remembering } from "../walk/merge-or-look-up.ts";
import { cutInto, isSmall, piecesFor } from "../walk/ranges.ts";
import type { Step } from "../walk/walk.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";
import { cutSegments, digestWalk } from "./digests/digest-walk.ts";
import { findUnselected } from "./unselected.ts";

/** How a collection is compared. */
export interface Strategy {
  readonly tier: Tier;
  /** Of each side that can hash its own documents. */
  readonly source?: Digester | undefined;
  readonly target?: Digester | undefined;
  /** What they compute, where that is not the digest of bytes. */
  readonly hash?: RecordDigester["hash"] | undefined;
}

/** What should be read. */
export type ScanJob = Pick<DiffJob, "source" | "target" | "from" | "to" | "filter" | "signal">;

/** Asks both stores what they can do. */
export async function chooseStrategy(job: ScanJob): Promise<Strategy> {
  const { source, target, from, to, signal } = job;
  if (from.kind === "definition") return { tier: "definition" };
  if (from.kind !== "collection") return { tier: "whole" };
  if (!inOrder(job)) return { tier: "lookup" };
  if (isSmall(from) && isSmall(to)) return { tier: "bytes" };
  const records = await hashRecords(job);
  if (records !== undefined) return records;
  const [left, right] = await Promise.all([
    source.digests?.digester(from, signal),
    target.digests?.digester(to, signal),
  ]);
  if (left === undefined && right === undefined) return { tier: "bytes" };
  const one = left === undefined ? "target-hashes" : "source-hashes";
  const tier = left === undefined || right === undefined ? one : "hashes";
  return { tier, source: left, target: right };
}

/** The way of a store that hashes what its documents are made from, and moves nothing that is equal. */
async function hashRecords({
  source,
  target,
  from,
  to,
  filter,
  signal,
}: ScanJob): Promise<Strategy | undefined> {
  if (filter !== undefined) return undefined;
  const left = await source.mapping?.digester?.(from, signal);
  if (left !== undefined) return { tier: "records", source: left, hash: left.hash };
  const right = source.mapping === undefined ? await target.mapping?.digester?.(to, signal) : undefined;
  return right === undefined ? undefined : { tier: "records", target: right, hash: right.hash };
}

/** Cuts the collection into ranges that are compared one by one. */
export async function cutRanges(
  job: ScanJob & Pick<DiffJob, "concurrency">,
  { tier }: Strategy,
): Promise<readonly IdRange[]> {
  const { source, from, concurrency, signal } = job;
  if (tier === "lookup") return [{}];
  if (isByDigests(tier)) return await cutSegments({ store: source, collection: from }, job.target, signal);
  return await cutInto(source, job.target, from, piecesFor(from, concurrency), signal);
}

/** Compares a range piece by piece; both sides are read ahead. */
export async function* scan(job: ScanJob, strategy: Strategy, range: IdRange): AsyncGenerator<Step> {
  const { source, target, from, to, filter, signal } = job;
  if (isByDigests(strategy.tier)) {
    yield* digestWalk({
      source: { store: source, collection: from, digester: strategy.source },
      target: { store: target, collection: to, digester: strategy.target },
      segments: [range],
      hash: strategy.hash,
      filter,
      signal,
    });
    return;
  }
  const options = readOptions(job, range);
  if (isMerged(job)) {
    yield* mergeOrLookUp(job, options);
    return;
  }
  const seen = new SeenIds();
  yield* mergeOrLookUp(job, options, { onSource: remembering(seen) });
  yield* findExtras(job, options, { which: "all", seen });
  if (filter !== undefined) yield* findUnselected({ ...job, filter });
}

const BY_DIGESTS: ReadonlySet<Tier> = new Set(["hashes", "source-hashes", "target-hashes", "records"]);

function isByDigests(tier: Tier): boolean {
  return BY_DIGESTS.has(tier);
}
