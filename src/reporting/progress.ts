/** How far a run is. Every way of showing progress asks this one count. */
import { Pace } from "./pace.ts";
import type { Done, Meter, Plan } from "./reporter.ts";

export type Phase = Parameters<Meter["phase"]>[0];

const PHASES: readonly Phase[] = ["copying", "verifying", "building indexes"];

export interface CollectionProgress {
  readonly collection: string;
  readonly phase: Phase;
  /** Documents of this phase; `total` is an estimate and never below `done`. */
  readonly done: number;
  readonly total: number;
}

export interface RunProgress extends Omit<CollectionProgress, "collection"> {
  /** Bytes of the documents copied. */
  readonly bytes: number;
  /** Collections that are finished, and all that are known of. */
  readonly collectionsDone: number;
  readonly collections: number;
  /** Documents per second of this phase, over the last seconds; undefined when nothing moves. */
  readonly rate: number | undefined;
  /** Milliseconds to the end of this phase at the mean speed so far; undefined when it cannot be told. */
  readonly remaining: number | undefined;
  readonly elapsed: number;
  readonly inFlight: readonly CollectionProgress[];
}

const NOTHING: Done = { documents: 0, bytes: 0 };

interface Open {
  readonly collection: string;
  readonly estimate: number;
  phase: Phase;
  copied: number;
  verified: number;
}

export class Progress {
  readonly #now: () => number;
  readonly #started: number;
  readonly #open = new Set<Open>();
  readonly #closed = { collections: 0, copied: 0, verified: 0 };
  #metered = 0;
  #planned = { documents: 0, collections: 0 };
  #bytes = 0;
  #phase: Phase = "copying";
  readonly #pace: Pace;

  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
    this.#pace = new Pace(this.#started);
  }

  expect(plan: Plan): void {
    const collections = plan.collections.filter((planned) => planned.kind !== "view").length;
    this.#planned = { documents: plan.documents, collections };
  }

  meter(collection: string, documents: number, done: Done = NOTHING): Meter {
    if (this.#open.size + this.#closed.collections === 0) {
      // What came before, connecting and planning, says nothing about the speed of copying.
      this.#pace.restart(this.#now(), 0);
    }
    const state: Open = {
      collection,
      estimate: documents,
      phase: "copying",
      copied: done.documents,
      verified: 0,
    };
    this.#open.add(state);
    this.#metered += documents;
    this.#bytes += done.bytes;
    // What a former run has done says nothing about the speed of this one.
    if (done.documents > 0) this.#pace.restart(this.#now(), this.#total([...this.#open]).done);
    return {
      advance: (done, bytes) => {
        if (state.phase === "copying") {
          state.copied += done;
          this.#bytes += bytes;
        } else if (state.phase === "verifying") {
          state.verified += done;
        }
      },
      phase: (name) => {
        state.phase = name;
      },
      end: () => {
        if (this.#open.delete(state)) {
          this.#closed.collections += 1;
          this.#closed.copied += state.copied;
          this.#closed.verified += Math.max(state.verified, state.copied);
        }
      },
    };
  }

  /** Collections in flight. */
  get open(): number {
    return this.#open.size;
  }

  snapshot(): RunProgress {
    const open = [...this.#open];
    const { phase, done, total } = this.#total(open);
    const at = this.#now();
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#pace.restart(at, done);
    }
    this.#pace.sample(at, done);
    return {
      phase,
      done,
      total,
      bytes: this.#bytes,
      collectionsDone: this.#closed.collections,
      collections: Math.max(this.#planned.collections, this.#closed.collections + open.length),
      rate: this.#pace.rate(at, done),
      remaining: this.#pace.remaining(at, done, total),
      elapsed: at - this.#started,
      inFlight: open.map(inPhase),
    };
  }

  /**
   * The run as a whole is copying until no collection is copying and none is still to come; so that its share grows steadily
   * even where each collection is verified as soon as it is copied. Estimates give way to counts as these become known.
   */
  #total(open: readonly Open[]): { phase: Phase; done: number; total: number } {
    const pending = Math.max(0, this.#planned.documents - this.#metered);
    const copied = sum(open, (state) => state.copied) + this.#closed.copied;
    const verified = sum(open, (state) => state.verified) + this.#closed.verified;
    const now =
      copied > 0 && pending > 0
        ? "copying"
        : (PHASES.find((phase) => open.some((state) => state.phase === phase)) ?? this.#phase);
    if (now === "verifying") {
      const expected = sum(open, (state) => Math.max(state.verified, state.copied || state.estimate));
      return { phase: now, done: verified, total: expected + this.#closed.verified + pending };
    }
    const expected = sum(open, (state) =>
      state.phase === "copying" ? Math.max(state.copied, state.estimate) : state.copied,
    );
    return { phase: now, done: copied, total: expected + this.#closed.copied + pending };
  }
}

function inPhase(state: Open): CollectionProgress {
  const { collection, phase, copied, verified, estimate } = state;
  return phase === "copying"
    ? { collection, phase, done: copied, total: Math.max(copied, estimate) }
    : { collection, phase, done: verified, total: Math.max(verified, copied || estimate) };
}

function sum<T>(entries: readonly T[], value: (entry: T) => number): number {
  return entries.reduce((total, entry) => total + value(entry), 0);
}
