import type { CollectionInfo } from "../../connectors/connector.ts";
import type { ComparedCollection, ComparedVerdict, Reporter, Tier } from "../../reporting/reporter.ts";
import type { Flights } from "../flights.ts";
import { judgeOf } from "../judge.ts";
import { sideBySide } from "../side-by-side.ts";
import { compareMetadata } from "./compare-metadata.ts";
import { compareRanges } from "./compare-ranges.ts";
import { compareWhole } from "./compare-whole.ts";
import type { DiffCheckpoint } from "./diff-checkpoint.ts";
import type { DiffJob, DiffPair, DiffRun } from "./diff-job.ts";
import type { DiffProgress } from "./diff-progress.ts";
import type { DiffTally } from "./diff-tally.ts";
import { chooseWay } from "./scan.ts";

interface State {
  readonly pair: DiffPair;
  readonly progress: DiffProgress;
  /** Everything of it was compared. */
  done: boolean;
}

/** Compares pairs of collections; how far it is can be asked at any time, also after it has failed. */
export class Comparing {
  readonly #run: DiffRun;
  readonly #states: readonly State[];
  readonly #checkpoint: DiffCheckpoint;

  constructor(run: DiffRun, pairs: readonly DiffPair[], checkpoint: DiffCheckpoint) {
    this.#run = run;
    this.#checkpoint = checkpoint;
    this.#states = pairs.map((pair) => ({
      pair,
      progress: checkpoint.open(pair.from.name, {
        source: pair.from.incarnation,
        target: pair.to.incarnation,
      }),
      done: false,
    }));
  }

  /** Small collections side by side, large ones in ranges. The first error ends the comparison. */
  async all(reporter: Reporter): Promise<void> {
    const jobs = this.#states.map((state) => ({ state, from: state.pair.from }));
    await sideBySide(jobs, this.#run, ({ state }, gate) => this.#one(state, gate, reporter));
    await this.#checkpoint.flush();
  }

  get collections(): readonly ComparedCollection[] {
    return this.#states.map(reportOf);
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

  async #one(state: State, gate: Flights, reporter: Reporter): Promise<void> {
    const { pair, progress } = state;
    const run = this.#run;
    const { source, bytes } = progress.tally;
    const meter = reporter.meter(pair.from.name, pair.from.documents, { documents: source, bytes });
    try {
      meter.phase("comparing");
      const indexesOf = await listIndexes(run, pair);
      const judge = judgeOf({ ...run, ...pair });
      const job: DiffJob = { ...run, ...pair, meter, progress, indexesOf, ...(judge && { judge }) };
      if (judge === undefined) await compareMetadata(job);
      progress.tier = await this.#contents(job, gate);
      // Two kinds of things have no contents to compare; that they differ is told, and may be accepted.
      state.done = job.from.kind === job.to.kind;
    } finally {
      meter.end();
    }
  }

  async #contents(job: DiffJob, gate: Flights): Promise<Tier> {
    if (job.from.kind !== job.to.kind) return "definition";
    const { tier, remaining } = job.progress;
    // What an interrupted run has read is not even asked how it could be.
    const way = tier !== undefined && remaining?.length === 0 ? { tier } : await chooseWay(job);
    job.progress.tier = way.tier;
    if (way.tier === "whole") await compareWhole(job);
    else if (way.tier !== "definition") await compareRanges(job, way, gate);
    return way.tier;
  }
}

async function listIndexes(run: DiffRun, { from, to }: DiffPair): Promise<DiffJob["indexesOf"]> {
  const list = (store: DiffRun["source"], { kind, name }: CollectionInfo) =>
    kind === "view" ? [] : store.indexes(name, run.signal);
  const [source, target] = await Promise.all([list(run.source, from), list(run.target, to)]);
  return { source, target };
}

function reportOf({
  pair: { from, to },
  progress: { tally, tier = "bytes" },
  done,
}: State): ComparedCollection {
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
    ...{ collection: from.name, target: to.name, kind: from.kind, tier },
    ...{ sourceDocuments: tally.source, targetDocuments: tally.target, equal, equivalent },
    unreadable: tally.unreadable + tally.twins,
    ...{ missing, extra, changed, metadata, moving, settled, expired, accepted, behind, diverged },
    verdict: verdictOf(tally, done),
  };
}

function verdictOf(tally: DiffTally, done: boolean): ComparedVerdict {
  if (tally.differences > 0) return "different";
  if (!done || tally.unreadable + tally.twins > 0) return "not compared";
  if (tally.moving > 0) return "moving";
  return tally.accepted > 0 ? "accepted" : "identical";
}
