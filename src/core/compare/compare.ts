import type { CollectionInfo, Metadata } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { IsDue } from "../../connectors/powers/expiry.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { ComparedCollection, ComparedVerdict, Reporter, Tier } from "../../model/reporter.ts";
import { assertNotAllDenied, oneCollection, reasonOf } from "../concurrency/one-collection.ts";
import { sideBySide, smallAtOnce } from "../concurrency/side-by-side.ts";
import type { TaskPool } from "../concurrency/task-pool.ts";
import { isInDoubt, isSameKind } from "../plan/plan.ts";
import { equivalenceOf } from "../walk/equivalence.ts";
import { replacedMeanwhile, replacedReason } from "../walk/presence.ts";
import { keepsNoFieldOrder } from "../walk/whole.ts";
import { compareRanges } from "./compare-ranges.ts";
import { compareWhole } from "./compare-whole.ts";
import type { DiffJob, DiffPair, DiffRun } from "./diff-job.ts";
import type { DiffCheckpoint } from "./progress/diff-checkpoint.ts";
import type { DiffProgress } from "./progress/diff-progress.ts";
import type { DiffTally } from "./progress/diff-tally.ts";
import { reportOfCollection } from "./report-difference.ts";
import { chooseStrategy } from "./scan.ts";

interface State {
  readonly pair: DiffPair;
  readonly progress: DiffProgress;
  /** All of it was looked at. */
  complete: boolean;
  /** Everything of it was compared, or accepted. */
  done: boolean;
}

/** Compares pairs of collections; how far it is can be asked at any time, also after it has failed. */
export class Comparing {
  readonly #run: DiffRun;
  readonly #states: readonly State[];
  readonly #checkpoint: DiffCheckpoint;
  /** Those of single collections. */
  readonly #failures: DualsyncError[] = [];

  constructor(run: DiffRun, pairs: readonly DiffPair[], checkpoint: DiffCheckpoint) {
    this.#run = run;
    this.#checkpoint = checkpoint;
    this.#states = pairs.map((pair) => ({
      pair,
      progress: checkpoint.open(pair.from.name, {
        source: pair.from.uid,
        target: pair.to.uid,
      }),
      complete: false,
      done: false,
    }));
  }

  /** Small collections side by side, large ones in ranges. The first error ends the comparison. */
  async all(reporter: Reporter): Promise<void> {
    const jobs = this.#states.map((state) => ({ state, from: state.pair.from }));
    const small = smallAtOnce(this.#run, this.#run.concurrency);
    await sideBySide(jobs, { ...this.#run, small }, ({ state }, gate) => this.#one(state, gate, reporter));
    assertNotAllDenied(this.#failures, jobs.length);
    await this.#reportReplaced();
    await this.#checkpoint.flush();
  }

  get collections(): readonly ComparedCollection[] {
    return this.#states.map((state) => reportOf(state, this.#run));
  }

  get ranges(): { readonly done: number; readonly total: number } {
    const sum = (field: "done" | "total"): number =>
      this.#states.reduce((total, { progress }) => total + progress.ranges[field], 0);
    return { done: sum("done"), total: sum("total") };
  }

  /** Bytes of the documents that were compared, on both sides. */
  get bytes(): number {
    return this.#states.reduce((total, { progress }) => total + progress.tally.bytes, 0);
  }

  /** What was altered meanwhile cannot have been compared, however alike it looked. */
  async #reportReplaced(): Promise<void> {
    const { source, target, signal } = this.#run;
    const done = this.#states.filter((state) => state.done);
    const [there, here] = await Promise.all([
      replacedMeanwhile(
        source,
        done.map(({ pair }) => pair.from),
        signal,
      ),
      replacedMeanwhile(
        target,
        done.map(({ pair }) => pair.to),
        signal,
      ),
    ]);
    for (const state of done) {
      const { pair, progress } = state;
      if (!there.has(pair.from) && !here.has(pair.to)) continue;
      progress.forgo();
      const detail = replacedReason(there.has(pair.from) ? "source" : "target");
      const body = { key: `collection ${pair.from.name}`, kind: "unreadable", sigil: "!", detail } as const;
      state.done = !(await reportOfCollection({ ...this.#run, ...pair, progress }, body));
    }
  }

  async #one(state: State, gate: TaskPool, reporter: Reporter): Promise<void> {
    const { pair, progress } = state;
    const run = this.#run;
    const { source, bytes } = progress.tally;
    const meter = reporter.meter(pair.from.name, pair.from.documents, { documents: source, bytes });
    try {
      meter.phase("comparing");
      await oneCollection(
        run,
        (own) => this.#compare({ ...own, ...pair, meter, progress }, state, gate),
        async (error) => {
          this.#failures.push(error);
          progress.forgo();
          const detail = reasonOf(error);
          const key = `collection ${pair.from.name}`;
          const body = { key, kind: "unreadable", sigil: "!", detail } as const;
          state.done = !(await reportOfCollection({ ...run, ...pair, progress }, body));
        },
      );
    } finally {
      meter.end();
    }
  }

  async #compare(own: Omit<DiffJob, "isDue" | "equivalence">, state: State, gate: TaskPool): Promise<void> {
    const [isDue, indexes] = await Promise.all([expiryOf(own), indexesOfBoth(own)]);
    if (isInDoubt(own.from, own.to) || isInDoubt(own.to, own.from))
      throw inDoubt(isInDoubt(own.from, own.to) ? own.source : own.target);
    const job: DiffJob = { ...own, isDue, equivalence: equivalenceOf(own) };
    await compareMetadata(job, indexes);
    job.progress.tier = await this.#contents(job, gate);
    await reportInexact(job);
    state.complete = true;
    // Two kinds of things have no contents to compare; that they differ is reported, and may be accepted.
    state.done = isSameKind(job.from, job.to);
  }

  async #contents(job: DiffJob, gate: TaskPool): Promise<Tier> {
    if (!isSameKind(job.from, job.to)) return "definition";
    const { tier, remaining } = job.progress;
    // What an interrupted run has read is not even asked how it could be.
    const strategy = tier !== undefined && remaining?.length === 0 ? { tier } : await chooseStrategy(job);
    job.progress.tier = strategy.tier;
    if (strategy.tier === "whole") await compareWhole(job);
    else if (strategy.tier !== "definition") await compareRanges(job, strategy, gate);
    return strategy.tier;
  }
}

function inDoubt({ words: { hidden } }: Reader): DualsyncError {
  const nothing = hidden?.givesNothing ?? "gives nothing";
  const message = `One side ${nothing}, but the other holds some: ${hidden?.whyEmpty ?? "it may be hidden"}.`;
  return new DualsyncError("source", message, { ofOneCollection: true });
}

async function expiryOf({ source, target, from, to, signal }: Expiring): Promise<DiffJob["isDue"]> {
  const [there, here] = await Promise.all([source.expiry?.of(from, signal), target.expiry?.of(to, signal)]);
  return { source: there ?? NEVER, target: here ?? NEVER };
}

type Expiring = Pick<DiffJob, "source" | "target" | "from" | "to" | "signal">;

const NEVER: IsDue = () => false;

/** Options, indexes and so on: looked at once, as they do not change by themselves. */
async function compareMetadata(
  job: DiffJob,
  [sourceIndexes, targetIndexes]: readonly [readonly Metadata[], readonly Metadata[]],
): Promise<void> {
  const { source, target, from, to, renames } = job;
  const power = source.metadata;
  // Where one side has no options and indexes there is nothing to compare but what they are.
  if (power === undefined || target.metadata === undefined) {
    if (!isSameKind(from, to))
      await reportOfCollection(job, {
        key: `collection ${to.name}`,
        kind: "metadata",
        sigil: "*",
        detail: `kind: source ${from.type}, target ${to.type}`,
      });
    return;
  }
  const described = { source: from, target: to, renames, sourceIndexes, targetIndexes };
  for (const difference of power.differences(described)) {
    const kind = difference.sigil === "!" ? "unreadable" : "metadata";
    await reportOfCollection(job, { ...difference, kind });
  }
}

/** None where they are not to be compared, or only one side has any. */
async function indexesOfBoth({
  source,
  target,
  from,
  to,
  indexes,
  signal,
}: Pick<DiffJob, keyof Expiring | "indexes">): Promise<readonly [readonly Metadata[], readonly Metadata[]]> {
  if (!indexes || source.metadata === undefined || target.metadata === undefined) return [[], []];
  const of = async ({ metadata }: Reader, { kind, name }: CollectionInfo): Promise<readonly Metadata[]> =>
    kind === "definition" ? [] : ((await metadata?.indexes(name, signal)) ?? []);
  return await Promise.all([of(source, from), of(target, to)]);
}

/** What was not read exactly cannot be compared, however alike it looks. */
async function reportInexact(job: DiffJob): Promise<void> {
  const { source, target, from, to, progress } = job;
  const inexact = [
    ...(source.exactness?.inexact(from.name) ?? []),
    ...(target.exactness?.inexact(to.name) ?? []),
  ];
  // A later run that resumes this one would not read again what looked alike.
  if (inexact.length > 0) progress.forgo();
  for (const { key, reason } of inexact)
    await reportOfCollection(job, { key, kind: "unreadable", sigil: "!", detail: reason });
}

function reportOf(
  { pair: { from, to }, progress: { tally, tier = "bytes" }, complete, done }: State,
  { ignoreFieldOrder }: Pick<DiffRun, "ignoreFieldOrder">,
): ComparedCollection {
  const {
    equal,
    equivalent,
    missing,
    extra,
    changed,
    metadata,
    moving,
    settled,
    expired,
    accepted,
    behind,
    diverged,
  } = tally;
  return {
    collection: from.name,
    target: to.name,
    kind: from.kind,
    type: from.type,
    tier,
    sourceDocuments: tally.source,
    targetDocuments: tally.target,
    equal,
    equivalent,
    unreadable: tally.unreadable + tally.duplicateIds,
    missing,
    extra,
    changed,
    metadata,
    moving,
    settled,
    expired,
    accepted,
    behind,
    diverged,
    complete,
    ...(ignoreFieldOrder || keepsNoFieldOrder(from) ? { anyFieldOrder: true as const } : {}),
    verdict: verdictOf(tally, done),
  };
}

function verdictOf(tally: DiffTally, done: boolean): ComparedVerdict {
  if (tally.differences > 0) return "different";
  if (!done || tally.unreadable + tally.duplicateIds > 0) return "not compared";
  if (tally.moving > 0) return "moving";
  return tally.accepted > 0 ? "accepted" : "identical";
}
