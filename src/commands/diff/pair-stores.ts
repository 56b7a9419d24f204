/** What is to be compared: everything is looked at, and what must not be compared is refused. */

import type { History, Listing, RunRecord, Source } from "../../connectors/contract.ts";
import { type Mapped, type Pairs, pairUp, withoutHidden } from "../../core/compare/pairs.ts";
import { unreadable } from "../../core/plan/plan.ts";
import { assertTwoStores, slowestClock } from "../../core/plan/same-store.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Comparison } from "../../model/reporter.ts";
import { minute } from "../../reporting/text/time-window.ts";
import type { RunContext } from "../command.ts";
import { assertMatches } from "../run/selection.ts";
import type { ReadStores } from "../run/stores.ts";
import type { DiffOptions } from "./diff-options.ts";
import type { Remembered } from "./history.ts";

export interface PairedStores extends Pairs {
  /** Who filled the target last. */
  readonly filled?: RunRecord | undefined;
  /** The time by the slowest of the clocks. */
  readonly now: () => Date;
}

/** @throws DualsyncError `refused` */
export async function pairStores(
  stores: ReadStores,
  options: DiffOptions,
  { signal }: RunContext,
): Promise<PairedStores> {
  const look = async (store: Source, database: string) => {
    const [identity, listing, history] = await Promise.all([
      store.identity(signal),
      store.list(signal),
      store.history(signal),
    ]);
    return { identity, listing, history, database };
  };
  const [source, target] = await Promise.all([
    look(stores.source, options.from.database),
    look(stores.target, options.to.database),
  ]);
  assertTwoStores(source, target);
  const names = [...namesOf(source.listing), ...namesOf(target.listing)];
  assertMatches(options, names, stores.source.mapping !== undefined || stores.target.mapping !== undefined);
  const listed = pairUp(source.listing, target.listing, options.wanted);
  const how = { wanted: options.wanted, mapped: mappedOf(stores, source, target) };
  const pairs = await withoutHidden(listed, stores, how, signal);
  const { filled } = target.history;
  const now = slowestClock([source.identity, target.identity]);
  if (pairs.pairs.length + pairs.missing.length + pairs.extra.length + pairs.lost.length > 0)
    return { ...pairs, now, filled };
  throw new DualsyncError(
    "refused",
    `Neither ${options.from.label} nor ${options.to.label} has a collection to compare.`,
    {
      hint: "Nothing was compared. Check the database names in the URIs, and --include and --exclude.",
    },
  );
}

function mappedOf(
  stores: ReadStores,
  source: { readonly history: History },
  target: { readonly history: History },
): Mapped | undefined {
  if (stores.source.mapping !== undefined)
    return { side: "source", known: copiedFrom(stores.source.label, target.history) };
  return stores.target.mapping === undefined
    ? undefined
    : { side: "target", known: copiedFrom(stores.target.label, source.history) };
}

/** Whatever was copied from there at any time: the last run does not know of a table that was gone by then. */
function copiedFrom(label: string, { filled, collections }: History): ReadonlySet<string> {
  const all = [...collections].filter(([, { from }]) => from === label).map(([name]) => name);
  return new Set([...all, ...(filled?.documents.keys() ?? [])]);
}

function namesOf(listing: Listing): string[] {
  return [...listing.collections, ...unreadable(listing)].map(({ name }) => name);
}

/** A copy that is being made, or was interrupted, differs by nature. */
function inTheMaking(filled: RunRecord | undefined): string[] {
  if (filled === undefined || filled.complete) return [];
  const since = minute(filled.since);
  return [
    `The run that filled the target last (${filled.command}, since ${since} UTC) has not come to its end: differences are to be expected.`,
  ];
}

export function comparisonOf(
  options: DiffOptions,
  { pairs, left, filled }: PairedStores,
  remembered: Remembered,
): Comparison {
  const { resumed, objection } = remembered;
  return {
    command: "diff",
    source: options.from.label,
    target: options.to.label,
    collections: pairs.map(({ from, to }) => {
      const isView = from.kind === "view";
      return {
        source: from.name,
        target: to.name,
        kind: from.kind,
        documents: isView ? undefined : from.documents,
        bytes: isView ? undefined : from.bytes,
      };
    }),
    notCompared: left,
    ...(resumed === undefined ? {} : { resumedSince: resumed.since }),
    notes: [
      ...(objection === undefined
        ? []
        : [`An interrupted comparison is not gone on with: ${objection}; everything is compared again.`]),
      ...inTheMaking(filled),
    ],
  };
}
