/** How far a run is. Every way of showing progress asks this one count. */

import type { Done, Meter } from "../../model/reporter.ts";
import type { Expected } from "./expected.ts";
import { Pace } from "./pace.ts";
import { isMain, type MainPhase, PHASES, type Phase } from "./phase.ts";

export interface CollectionProgress {
  readonly collection: string;
  readonly phase: Phase;
  /** Documents of this phase; `total` is an estimate and never below `done`. */
  readonly done: number;
  readonly total: number;
}

export interface RunProgress extends Omit<CollectionProgress, "collection"> {
  /** Bytes of the documents of the main phase. */
  readonly bytes: number;
  /** Collections that are finished, and all that are known of. */
  readonly collectionsDone: number;
  readonly collections: number;
  /** Documents per second of this phase, over the last seconds; undefined when nothing moves. */
  readonly rate: number | undefined;
  /** Milliseconds to the end of this phase at the mean speed so far; undefined when it is unknown. */
  readonly remaining: number | undefined;
  readonly elapsed: number;
  readonly inFlight: readonly CollectionProgress[];
}

const NOTHING: Done = { documents: 0, bytes: 0 };

interface Open {
  readonly collection: string;
  readonly estimate: number;
  phase: Phase;
  /** Documents that went through the main phase. */
  copied: number;
  verified: number;
}

export class ProgressLog {
  readonly #now: () => number;
  readonly #started: number;
  readonly #open = new Set<Open>();
  readonly #closed = { collections: 0, copied: 0, verified: 0 };
  #metered = 0;
  #planned = { documents: 0, collections: 0 };
  #bytes = 0;
  #main: MainPhase = "copying";
  #phase: Phase = "copying";
  readonly #pace: Pace;

  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
    this.#pace = new Pace(this.#started);
  }

  expect({ phase, ...planned }: Expected): void {
    this.#main = phase;
    this.#phase = phase;
    this.#planned = planned;
  }

  meter(collection: string, documents: number, done: Done = NOTHING): Meter {
    if (this.#open.size + this.#closed.collections === 0) {
      // What came before, connecting and planning, says nothing about the speed of copying.
      this.#pace.restart(this.#now(), 0);
    }
    const state: Open = {
      collection,
      estimate: documents,
      phase: this.#main,
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
        if (isMain(state.phase)) {
          state.copied += done;
          this.#bytes += bytes;
        } else if (state.phase === "verifying") {
          state.verified += done;
        }
      },
      phase: (name) => {
        state.phase = name;
        if (isMain(name)) this.#main = name;
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
   * The run as a whole is in its main phase until no collection is and none is still to come; so that its share grows steadily
   * even where each collection is verified as soon as it is copied. Estimates give way to counts as these become known.
   */
  #total(open: readonly Open[]): { phase: Phase; done: number; total: number } {
    const pending = Math.max(0, this.#planned.documents - this.#metered);
    const copied = sum(open, (state) => state.copied) + this.#closed.copied;
    const verified = sum(open, (state) => state.verified) + this.#closed.verified;
    const now =
      copied > 0 && pending > 0
        ? this.#main
        : (PHASES.find((phase) => open.some((state) => state.phase === phase)) ?? this.#phase);
    if (now === "verifying") {
      const expected = sum(open, (state) => Math.max(state.verified, state.copied || state.estimate));
      return { phase: now, done: verified, total: expected + this.#closed.verified + pending };
    }
    const expected = sum(open, (state) =>
      isMain(state.phase) ? Math.max(state.copied, state.estimate) : state.copied,
    );
    return { phase: now, done: copied, total: expected + this.#closed.copied + pending };
  }
}

function inPhase(state: Open): CollectionProgress {
  const { collection, phase, copied, verified, estimate } = state;
  if (isMain(phase)) return { collection, phase, done: copied, total: Math.max(copied, estimate) };
  return { collection, phase, done: verified, total: Math.max(verified, copied || estimate) };
}

function sum<T>(entries: readonly T[], value: (entry: T) => number): number {
  return entries.reduce((total, entry) => total + value(entry), 0);
}
