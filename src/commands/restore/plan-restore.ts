/** What a restore would do: everything is looked at and compared, and what must not be done is refused. */
import { setMaxListeners } from "node:events";
import type { CollectionInfo, Listing } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Creation } from "../../connectors/powers/blueprints.ts";
import type { History, RestoreScope } from "../../connectors/powers/run-history.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { LastVerified } from "../../core/checksums/last-verified.ts";
import { metered } from "../../core/compare/metered.ts";
import { isOfOneCollection, reasonOf } from "../../core/concurrency/one-collection.ts";
import { sideBySide, smallAtOnce } from "../../core/concurrency/side-by-side.ts";
import { NewerBy } from "../../core/copy/newer.ts";
import { assertNotHalfRestored, assertNotItsCopy } from "../../core/plan/guards.ts";
import {
  assertSomething,
  type ComparedDocuments,
  chooseJobs,
  isSameKind,
  makePlan,
  mentionable,
  namesInSource,
  namesOf,
  type PlannedJob,
  renamesFor,
  unreadable,
  withoutUnreadable,
} from "../../core/plan/plan.ts";
import { isOneStore, oneStore } from "../../core/plan/same-store.ts";
import { isShrunken } from "../../core/plan/shrink.ts";
import { lookAt, type StoreSnapshot } from "../../core/plan/snapshot.ts";
import { ExtraAge } from "../../core/restore/extra-age.ts";
import { openRestores, scopeOf } from "../../core/restore/open-restores.ts";
import { previewRestore } from "../../core/restore/preview.ts";
import { keepingOf, type RestoreMode } from "../../core/restore/restore-mode.ts";
import type { NotCopied } from "../../model/collection.ts";
import type { Doc } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Plan, RestorePreview } from "../../model/reporter.ts";
import type { RunContext } from "../command.ts";
import type { OpenedCopy } from "../run/copy-layout.ts";
import { assertMatches } from "../run/selection.ts";
import type { Stores } from "../run/stores.ts";
import { choose, type LostDocument } from "./chosen-documents.ts";
import { restoreNotes } from "./restore-notes.ts";
import type { RestoreOptions } from "./restore-options.ts";
import { laidOutNotes, type RestoredStores } from "./restored-stores.ts";

export interface PlannedRestore {
  readonly plan: Plan;
  readonly jobs: readonly PlannedJob[];
  /** What was selected in the copy, and cannot be restored. */
  readonly lost: readonly NotCopied[];
  readonly lostDocuments: readonly LostDocument[];
  /** Tells what of the target may be newer than the copy. */
  readonly age: ExtraAge;
  /**
   * The name that whoever restores must give: the target's own, and its whole label where it is not what the copy was made from. A
   * database of another server may well have the same name.
   */
  readonly asks: string;
  /** When the one of several copies was begun that this plan is of: a newer one may be there when it is carried out. */
  readonly at: Date | undefined;
  /** The target holds no document at all. */
  readonly isEmpty: boolean;
  /** Bytes of the target's documents that are saved before they are replaced or removed. */
  readonly savedBytes: number;
  readonly scope: RestoreScope;
  /** An earlier restore left the target half-way. */
  readonly isInterrupted: boolean;
  /** What the target remembers of earlier restores. */
  readonly history: History;
}

/** @throws DualsyncError `refused` where a guard objects */
export async function planRestore(
  stores: RestoredStores,
  options: RestoreOptions,
  context: RunContext,
): Promise<PlannedRestore> {
  const { signal } = context;
  const { wanted } = options;
  const [source, target] = await Promise.all([
    lookAt(stores.source, signal, wanted.selects),
    // What is not selected is not looked at.
    lookAt(stores.target, signal, (name) => namesInSource(name, wanted).some(wanted.selects)),
  ]);
  const exclude = mentionable(source.listing, target.listing, wanted);
  assertMatches(options, { include: namesOf(source.listing), exclude }, [stores.source]);
  assertNotHalfRestored(source);
  if (!options.apply) await assertSeemTwo(stores, options, { source, target }, signal);
  assertNotItsCopy(source, target);
  const nameProblem = stores.target.metadata?.nameProblem;
  const naming = { renamed: stores.source.metadata?.renamed, nameProblem };
  const all = withoutUnreadable(chooseJobs(source.listing, wanted, naming), target.listing);
  assertNotMixed(source.listing, target.listing, wanted);
  const fitting = withoutPartial(fittingJobs(all.jobs, target, stores.target), options.mode);
  const creation = await creationOf(fitting.absent, stores, signal);
  const chosen = await choose(fitting.jobs, options.documents, stores.source, signal);
  const lost = [...all.lost, ...fitting.lost];
  assertSomething(chosen.jobs, [...lost, ...chosen.lost], source.label, stores.source.words);
  const age = new ExtraAge(verifiedSince(source, target), options.newerBy);
  const checked = await withoutDamaged(stores.source, chosen.jobs, context);
  const previews = new Map<string, RestorePreview>();
  const unread: NotCopied[] = [...checked.damaged];
  const jobs: PlannedJob[] = [];
  const started = performance.now();
  let bytes = 0;
  const read = (more: number): void => {
    bytes += more;
  };
  const counted = { source: metered(stores.source, read), target: metered(stores.target, read) };
  const isInterrupted = openRestores(target.history).length > 0;
  const known = { age, isInterrupted };
  const found = await previewAll(counted, checked.jobs, options, known, context);
  for (const job of checked.jobs) {
    const looked = found.get(job);
    if (typeof looked === "string") unread.push({ name: job.from.name, reason: looked, isLoss: true });
    else {
      jobs.push(looked === undefined ? job : { ...job, compared: settledBy(job, looked) });
      if (looked !== undefined) previews.set(job.to.name, looked);
    }
  }
  await assertNotEmptied(jobs, stores.source, signal);
  assertReferencesKnown(jobs, previews, stores.target);
  assertNotShrunken(jobs, previews, options);
  const notCopied = [...all.notCopied, ...fitting.lost, ...unread];
  const savedBytes = sumOf(previews, ({ savedBytes }) => savedBytes);
  const compared = { bytes, milliseconds: performance.now() - started };
  const scope = scopeOf(options.mode, jobs);
  const isOther = isOtherThanCopied(source, target, stores.copy);
  const asks = isOther ? target.label : options.targetName;
  const kept = (await stores.source.keptCopies?.list(signal)) ?? [];
  const findings = {
    asks,
    isOther,
    kept,
    stores,
    jobs,
    previews,
    source,
    target,
    savedBytes,
    compared,
    scope,
  };
  const notes = [
    ...(await restoreNotes(findings, options, context)),
    ...(await laidOutNotes(stores, signal)),
    ...(creation?.lacks ?? []),
  ];
  const made = makePlan({ jobs, notCopied, copies: all.copies }, target.listing, new Map(), {
    command: "restore",
    source: source.label,
    target: target.label,
    delete: options.mode === "exact",
    allowShrink: options.allowShrink,
    dryRun: options.dryRun,
    notes: [],
  });
  const plan = {
    ...made,
    collections: made.collections.map((one) => ({ ...one, restore: previews.get(one.target) })),
    estimatedTargetBytes: sumOf(previews, ({ writtenBytes }) => writtenBytes),
    notes,
    ...(creation === undefined || creation.statements === ""
      ? {}
      : { statements: creation.statements.trimEnd().split("\n") }),
  };
  return {
    plan,
    jobs,
    lost: [...lost, ...unread],
    lostDocuments: chosen.lostDocuments,
    age,
    asks,
    at: kept.find(({ run }) => run === source.history.lastRun?.run)?.since,
    isEmpty: isEmpty(target.listing),
    savedBytes,
    scope,
    isInterrupted,
    history: target.history,
  };
}

/**
 * The target holds documents, and nothing shows that it is the one that the copy was made from: another address, no collection that was
 * copied, and no earlier restore of this copy.
 */
function isOtherThanCopied(
  source: StoreSnapshot,
  target: StoreSnapshot,
  copy: OpenedCopy | undefined,
): boolean {
  const { lastRun, collections } = source.history;
  const from = copy?.from ?? lastRun?.from;
  if (from === undefined || from === target.label) return false;
  if (target.history.lastRestore?.from === source.label) return false;
  const copied = new Set([...collections.values()].map((one) => one.source));
  const held = target.listing.collections.filter(({ documents }) => documents > 0);
  // Of what was not looked at nobody knows whether it holds any.
  const others = [...held, ...(target.listing.unselected ?? [])];
  return others.length > 0 && !others.some(({ uid }) => uid !== undefined && copied.has(uid));
}

/** Nothing is there, and nothing that was not looked at, or cannot be seen, may be. */
function isEmpty(listing: Listing): boolean {
  if ((listing.unselected ?? []).length > 0) return false;
  const mayHold = listing.collections.some(
    ({ documents, mayBeHidden }) => documents > 0 || mayBeHidden === true,
  );
  return !mayHold && unreadable(listing).length === 0;
}

function sumOf(previews: ReadonlyMap<string, RestorePreview>, of: (one: RestorePreview) => number): number {
  return [...previews.values()].reduce((sum, one) => sum + of(one), 0);
}

interface Fitting {
  readonly jobs: readonly PlannedJob[];
  readonly lost: readonly NotCopied[];
  /** What the target lacks and only a person can create there. */
  readonly absent: readonly PlannedJob[];
}

/** How a person can create what the target lacks, as far as the copy keeps that. */
async function creationOf(
  absent: readonly PlannedJob[],
  { source, target }: Stores,
  signal: AbortSignal,
): Promise<Creation | undefined> {
  if (absent.length === 0 || target.blueprints === undefined) return undefined;
  const kept = (await source.keptBlueprints?.read(signal)) ?? new Map<string, string>();
  const names = new Set(absent.map(({ from }) => from.name));
  return target.blueprints.creation(new Map([...kept].filter(([name]) => names.has(name))));
}

/** The jobs whose collections the target has, or can be given; with what it holds there. */
function fittingJobs(jobs: readonly PlannedJob[], target: StoreSnapshot, store: Reader): Fitting {
  const there = new Map(target.listing.collections.map((collection) => [collection.name, collection]));
  const fitting: PlannedJob[] = [];
  const lost: NotCopied[] = [];
  const absent: PlannedJob[] = [];
  for (const job of jobs) {
    const { from, to } = job;
    const existing = there.get(to.name);
    if (existing === undefined && store.mapping !== undefined) {
      const reason = `the target has no ${store.words.collection} ${to.name}`;
      absent.push(job);
      lost.push({ name: from.name, reason, isLoss: true });
    } else if (existing !== undefined && !isSameKind(existing, from)) {
      const reason = `it is a ${from.type} in the copy and a ${existing.type} in the target`;
      lost.push({ name: from.name, reason, isLoss: true });
    } else if (existing === undefined) fitting.push({ ...job, to: { ...to, documents: 0, bytes: 0 } });
    // What is there already keeps its own options.
    else fitting.push({ ...job, to: existing });
  }
  return { jobs: fitting, lost, absent };
}

/** A copy that is known not to hold all of a collection says of no document that it is to be removed. */
function withoutPartial(fitting: Fitting, mode: RestoreMode): Fitting {
  if (mode !== "exact") return fitting;
  const jobs = fitting.jobs.filter(({ from }) => from.partial === undefined);
  const more = fitting.jobs.flatMap(({ from: { name, partial } }): NotCopied[] =>
    partial === undefined
      ? []
      : [
          {
            name,
            reason: `${partial}: --mode exact would remove the rest, --mode overwrite does not`,
            isLoss: true,
          },
        ],
  );
  return { ...fitting, jobs, lost: [...fitting.lost, ...more] };
}

/**
 * Before anything is written. What is chosen by ids is checked as it is read.
 * @throws DualsyncError `local` where damage is not a matter of one collection alone
 */
async function withoutDamaged(
  { integrity }: Reader,
  jobs: readonly PlannedJob[],
  { signal, reporter }: RunContext,
): Promise<{ readonly jobs: readonly PlannedJob[]; readonly damaged: readonly NotCopied[] }> {
  if (integrity === undefined) return { jobs, damaged: [] };
  const intact: PlannedJob[] = [];
  const damaged: NotCopied[] = [];
  for (const job of jobs) {
    const { from, ids } = job;
    if (ids !== undefined) {
      intact.push(job);
      continue;
    }
    const meter = reporter.meter(from.name, from.documents);
    meter.phase("verifying");
    try {
      await integrity.check(from.name, signal);
      intact.push(job);
    } catch (error) {
      if (!isOfOneCollection(error)) throw error;
      damaged.push({ name: from.name, reason: reasonOf(error), isLoss: true });
    } finally {
      meter.end();
    }
  }
  return { jobs: intact, damaged };
}

/** When the last verified run of the copy from this target began. */
function verifiedSince(source: StoreSnapshot, target: StoreSnapshot): Date | undefined {
  const { lastRun } = source.history;
  return lastRun?.verified === true && lastRun.from === target.label ? lastRun.since : undefined;
}

/** What is known of both sides before any document is compared. */
interface KnownBefore {
  readonly age: ExtraAge;
  /** See `PlannedRestore`. */
  readonly isInterrupted: boolean;
}

/** Collections side by side, as many as both stores take; the first failure of a store ends it. */
async function previewAll(
  stores: Pick<Stores, "source" | "target">,
  jobs: readonly PlannedJob[],
  options: RestoreOptions,
  known: KnownBefore,
  context: RunContext,
): Promise<ReadonlyMap<PlannedJob, RestorePreview | string | undefined>> {
  const { concurrency } = options;
  const stopper = new AbortController();
  const signal = AbortSignal.any([context.signal, stopper.signal]);
  setMaxListeners(0, signal); // every command in flight listens
  const stop = (error: unknown): void => stopper.abort(error);
  const found = new Map<PlannedJob, RestorePreview | string | undefined>();
  const limits = { concurrency, small: smallAtOnce(stores, concurrency), stop };
  await sideBySide(jobs, limits, async (job) => {
    found.set(job, await preview(stores, job, options, known, { ...context, signal }));
  });
  return found;
}

/** @returns undefined for what holds no documents, and the reason where the collection cannot be read */
async function preview(
  { source, target }: Stores,
  job: PlannedJob,
  options: RestoreOptions,
  { age, isInterrupted }: KnownBefore,
  { signal, reporter }: RunContext,
): Promise<RestorePreview | string | undefined> {
  const { from, to, ids, filter } = job;
  if (from.kind === "definition") return undefined;
  const outside = target.references?.outside(to.name) ?? [];
  const isWhole = ids === undefined && filter === undefined;
  if (to.documents === 0 && isWhole && outside.length === 0) return intoEmpty(from);
  const meter = reporter.meter(to.name, from.documents);
  meter.phase("comparing");
  const newerBy = newerByOf(options);
  const keeping = keepingOf(options.mode, newerBy, isInterrupted);
  const mayBeNewer = age.mayBeNewer.bind(age);
  const removes = (document: Doc): boolean =>
    options.mode === "exact" &&
    (options.includeNewer || !mayBeNewer(document)) &&
    target.cautions?.irreplaceableDocument(to.name, document) === undefined;
  try {
    // The source is the copy, in which the run the other way has left its checksums.
    const backwards = { ...job, target: source, from: to, to: from, signal };
    const uids = { source: to.uid, target: from.uid };
    const lastVerified = keeping.asksChanges && (await LastVerified.of(backwards, uids));
    const how = { keeping, newerBy, mayBeNewer, removes, lastVerified, outside };
    return await previewRestore({ ...job, ...how, source, target, signal, meter });
  } catch (error) {
    signal.throwIfAborted();
    if (!isOfOneCollection(error)) throw error;
    return reasonOf(error);
  } finally {
    meter.end();
  }
}

/** What is left as it is need not be read again. A collection without a unique `_id` is only ever looked at as a whole. */
function settledBy(
  { from }: PlannedJob,
  { equal, equivalent, different, extra, missing, overwritten, conflicts, removed }: RestorePreview,
): ComparedDocuments | undefined {
  if (from.kind !== "collection" || missing + overwritten + conflicts + removed > 0) return undefined;
  return { equal, equivalent, kept: different, extra };
}

export function newerByOf({ newerBy }: RestoreOptions): NewerBy {
  return new NewerBy(newerBy === undefined ? undefined : [newerBy]);
}

/** Nothing need be compared: all of it is missing. */
function intoEmpty({ documents, bytes }: CollectionInfo): RestorePreview {
  return {
    ...{ equal: 0, equivalent: 0, different: 0, extra: 0, newer: 0, overwritten: 0, conflicts: 0 },
    ...{ removed: 0, newerExtra: 0, savedBytes: 0, outside: 0, examples: [] },
    missing: documents,
    writtenBytes: bytes,
  };
}

/**
 * Nothing is written before --apply, so it can only be looked at; with it, what is written proves it.
 * @throws DualsyncError `refused` where source and target are one store
 */
async function assertSeemTwo(
  stores: Stores,
  { from, to }: RestoreOptions,
  looks: { readonly source: StoreSnapshot; readonly target: StoreSnapshot },
  signal: AbortSignal,
): Promise<void> {
  const [source, target] = await Promise.all([
    stores.source.identity(signal),
    stores.target.identity(signal),
  ]);
  const areTwo =
    source.instance !== undefined && target.instance !== undefined && source.instance !== target.instance;
  const databases = [from, to].map((location) => connectorOf(location).place(location).database);
  const [one = "", other = ""] = databases;
  const left = { ...looks.source, identity: source, database: one };
  const right = { ...looks.target, identity: target, database: other };
  if (!areTwo && isOneStore(left, right)) throw oneStore(source.label);
}

/**
 * Refuses to put documents of one collection among those of another, which is in the copy, too.
 * @throws DualsyncError `refused`
 */
function assertNotMixed(source: Listing, target: Listing, wanted: RestoreOptions["wanted"]): void {
  const natural = renamesFor(source, { ...wanted, renames: new Map() });
  const held = new Set(target.collections.filter(({ documents }) => documents > 0).map(({ name }) => name));
  for (const [from, to] of wanted.renames) {
    const other = namesOf(source).find((name) => name !== from && (natural.get(name) ?? name) === to);
    if (other === undefined || !held.has(to)) continue;
    const [put, into, own] = [from, to, other].map((name) => JSON.stringify(name));
    throw new DualsyncError(
      "refused",
      `${into} of the target holds documents, and the copy of it is ${own}: --rename would put ${put} among them.`,
      { hint: "Nothing was restored. Give it a name that the target does not have yet." },
    );
  }
}

/** A copy that holds nothing is a fault of the copy. @throws DualsyncError `refused` */
async function assertNotEmptied(
  jobs: readonly PlannedJob[],
  source: Reader,
  signal: AbortSignal,
): Promise<void> {
  const held = jobs.filter(({ from }) => from.kind !== "definition");
  if (held.length === 0 || held.some(({ from, ids }) => from.documents > 0 || ids !== undefined)) return;
  for (const { from } of held) if ((await source.count(from.name, {}, signal)) > 0) return;
  throw new DualsyncError(
    "refused",
    `The copy ${source.label} holds no document of what is to be restored.`,
    {
      hint: "Nothing was restored. Is this the right copy? Was it emptied?",
    },
  );
}

/** What refers to a removed document would be deleted or altered with it, unseen. */
function assertReferencesKnown(
  jobs: readonly PlannedJob[],
  previews: ReadonlyMap<string, RestorePreview>,
  { references, cautions, words }: Reader,
): void {
  for (const { to } of jobs) {
    if ((previews.get(to.name)?.removed ?? 0) === 0) continue;
    const unknown = references?.unknown(to.name);
    const irreplaceable = cautions?.irreplaceable(to.name);
    const why = unknown === undefined ? irreplaceable : `it is not known what refers to them: ${unknown}`;
    if (why === undefined) continue;
    throw new DualsyncError(
      "refused",
      `--mode exact would remove ${words.documents} of ${to.name}, and ${why}.`,
      { hint: "Nothing was restored. --mode overwrite removes nothing; or leave it out with --exclude." },
    );
  }
}

/** Removing most of what a target holds is more likely a fault of the copy than a wish. */
function assertNotShrunken(
  jobs: readonly PlannedJob[],
  previews: ReadonlyMap<string, RestorePreview>,
  { allowShrink }: RestoreOptions,
): void {
  for (const { from, to } of jobs) {
    const found = previews.get(to.name);
    if (found === undefined || found.removed === 0) continue;
    const { removed, equal, equivalent, different, missing } = found;
    if (equal + equivalent + different + missing === 0) {
      throw new DualsyncError(
        "refused",
        `${JSON.stringify(from.name)} is empty in the copy: --mode exact would remove all ${removed.toLocaleString("en-US")} documents of it from the target.`,
        {
          hint: "Nothing was restored. Look at the copy first. If this is intended, remove them in the target by hand; or leave it out with --exclude.",
        },
      );
    }
    if (allowShrink || !isShrunken(to.documents - removed, to.documents)) continue;
    throw new DualsyncError(
      "refused",
      `${JSON.stringify(to.name)}: --mode exact would remove ${removed.toLocaleString("en-US")} of the ${to.documents.toLocaleString("en-US")} documents that the target holds.`,
      {
        hint: "Nothing was restored. Look at the copy first: is it complete? If this is intended, add --allow-shrink.",
      },
    );
  }
}
