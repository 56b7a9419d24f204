/** What should be compared: everything is looked at, and what must not be compared is refused. */

import type { Location } from "../../connectors/connector.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { History, RunRecord } from "../../connectors/powers/run-history.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { type Pairs, type PrimarySide, pairUp, withoutHidden } from "../../core/compare/pairing/pairs.ts";
import { assertNotHalfRestored } from "../../core/plan/guards.ts";
import { mentionable, namesInSource, namesOf } from "../../core/plan/plan.ts";
import { assertTwoStores, slowestClock } from "../../core/plan/same-store.ts";
import { lookAt, type StoreSnapshot } from "../../core/plan/snapshot.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Comparison } from "../../model/reporter.ts";
import { minute } from "../../reporting/text/time-window.ts";
import type { RunContext } from "../command.ts";
import { assertMatches } from "../run/selection.ts";
import type { Stores } from "../run/stores.ts";
import type { DiffOptions } from "./diff-options.ts";
import type { Remembered } from "./history.ts";

export interface PairedStores extends Pairs {
  /** The run that filled the target last. */
  readonly lastRun?: RunRecord | undefined;
  /** The time by the slowest of the clocks. */
  readonly now: () => Date;
}

/** @throws DualsyncError `refused` */
export async function pairStores(
  stores: Stores,
  options: DiffOptions,
  { signal }: RunContext,
): Promise<PairedStores> {
  const { wanted } = options;
  const look = async (store: Reader, location: Location, selects: (name: string) => boolean) => {
    const [identity, snapshot] = await Promise.all([store.identity(signal), lookAt(store, signal, selects)]);
    return { ...snapshot, identity, database: connectorOf(location).place(location).database };
  };
  const [source, target] = await Promise.all([
    look(stores.source, options.from, wanted.selects),
    look(stores.target, options.to, (name) => namesInSource(name, wanted).some(wanted.selects)),
  ]);
  assertTwoStores(source, target);
  assertNotHalfRestored(source);
  const include = [...namesOf(source.listing), ...namesOf(target.listing)];
  const names = { include, exclude: mentionable(source.listing, target.listing, wanted) };
  assertMatches(options, names, [stores.source, stores.target]);
  const listed = pairUp(source.listing, target.listing, wanted, stores.source.metadata);
  const how = { wanted, primary: primaryOf(options, source, target) };
  const pairs = await withoutHidden(listed, stores, how, signal);
  const { lastRun } = target.history;
  const now = slowestClock([source.identity, target.identity]);
  if (pairs.pairs.length + pairs.missing.length + pairs.extra.length + pairs.lost.length > 0)
    return { ...pairs, now, lastRun };
  const checks = new Set([stores.source, stores.target].map(({ words }) => words.whenEmpty));
  throw new DualsyncError(
    "refused",
    `Neither ${options.from.label} nor ${options.to.label} has a collection to compare.`,
    { hint: `Nothing was compared. ${[...checks].join(" ")} Check --include and --exclude.` },
  );
}

/** The side that is a primary whose copies lie in a store of another kind; the source's first. */
function primaryOf(
  { from, to }: DiffOptions,
  source: StoreSnapshot,
  target: StoreSnapshot,
): PrimarySide | undefined {
  const [left, right] = [connectorOf(from), connectorOf(to)];
  if (left.primary !== undefined) {
    const known = copiedFrom(source.label, target.history);
    return { side: "source", collection: left.words.collection, known };
  }
  if (right.primary === undefined) return undefined;
  const known = copiedFrom(target.label, source.history);
  return { side: "target", collection: right.words.collection, known };
}

/** Whatever was copied from there at any time: the last run does not know of a collection that was gone by then. */
function copiedFrom(label: string, { lastRun, collections }: History): ReadonlySet<string> {
  const all = [...collections].filter(([, { from }]) => from === label).map(([name]) => name);
  return new Set([...all, ...(lastRun?.documents.keys() ?? [])]);
}

/** A copy that is being made, or was interrupted, differs by nature. */
function unfinishedRun(lastRun: RunRecord | undefined): string[] {
  if (lastRun === undefined || lastRun.complete) return [];
  const since = minute(lastRun.since);
  return [
    `The last run that wrote to the target (${lastRun.command}, started ${since} UTC) did not finish: expect differences.`,
  ];
}

export function comparisonOf(
  options: DiffOptions,
  { pairs, left, lastRun }: PairedStores,
  remembered: Remembered,
  notes: readonly string[],
): Comparison {
  const { resumed, objection } = remembered;
  return {
    command: "diff",
    source: options.from.label,
    target: options.to.label,
    collections: pairs.map(({ from, to }) => {
      const hasDocuments = from.kind !== "definition";
      return {
        source: from.name,
        target: to.name,
        kind: from.kind,
        type: from.type,
        documents: hasDocuments ? from.documents : undefined,
        bytes: hasDocuments ? from.bytes : undefined,
      };
    }),
    notCompared: left,
    resumedSince: resumed?.since,
    notes: [
      ...(objection === undefined
        ? []
        : [`The interrupted comparison is not resumed: ${objection}. Everything is compared again.`]),
      ...unfinishedRun(lastRun),
      ...notes,
    ],
  };
}
