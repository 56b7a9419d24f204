/** Reading a range of two collections, in the cheapest way that is exact. */
import type { Digester, IdRange } from "../../connectors/connector.ts";
import type { Tier } from "../../reporting/reporter.ts";
import { piecesFor } from "../ranges.ts";
import { lookUpEach, merge, type Step } from "../walk.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";
import { digestWalk, STRETCH } from "./digest-walk.ts";
import { extrasOf } from "./extras.ts";

/** How a collection is compared. */
export interface Way {
  readonly tier: Tier;
  /** Of each side that can hash its own documents. */
  readonly source?: Digester;
  readonly target?: Digester;
}

/** Asks both stores what they can do. */
export async function chooseWay(
  job: Pick<DiffJob, "source" | "target" | "from" | "to" | "signal">,
): Promise<Way> {
  const { source, target, from, to, signal } = job;
  if (from.kind === "view") return { tier: "definition" };
  if (from.kind !== "collection") return { tier: "whole" };
  if (!from.ordered || !to.ordered) return { tier: "lookup" };
  const [left, right] = await Promise.all([source.digester?.(from, signal), target.digester?.(to, signal)]);
  if (left === undefined && right === undefined) return { tier: "bytes" };
  return {
    tier: "hashes",
    ...(left === undefined ? {} : { source: left }),
    ...(right === undefined ? {} : { target: right }),
  };
}

/** Into how many ranges the collection is cut. What stores hash by themselves needs no more than a round trip each. */
export function piecesOf(
  { from, concurrency }: Pick<DiffJob, "from" | "concurrency">,
  { tier }: Way,
): number {
  if (tier === "lookup") return 1;
  if (tier === "bytes" || from.documents < STRETCH.documents) return piecesFor(from, concurrency);
  const { documents, bytes } = from;
  return Math.max(concurrency, Math.ceil(documents / STRETCH.documents), Math.ceil(bytes / STRETCH.bytes));
}

/** Compares a range piece by piece; both sides are read ahead. */
export async function* scan(job: DiffJob, way: Way, range: IdRange): AsyncGenerator<Step> {
  const { source, target, from, to, filter, signal } = job;
  const options = readOptions(job, range);
  switch (way.tier) {
    case "hashes":
      yield* digestWalk({
        source: { store: source, collection: from, digester: way.source },
        target: { store: target, collection: to, digester: way.target },
        range,
        ...(filter === undefined ? {} : { filter }),
        // The ranges are as small as stretches are to be: see piecesFor.
        estimate: { documents: 0, bytes: 0 },
        signal,
      });
      return;
    case "lookup":
      yield* lookUpEach(source.read(from, options), target, to.name, signal);
      yield* extrasOf(target.read(to, options), source, from.name, signal);
      return;
    default:
      yield* merge(source.read(from, options), target.read(to, options));
  }
}
