import type { Losses } from "./losses.ts";
import { type Incarnations, Progress, type SavedProgress } from "./progress.ts";
import { type SavedRun, toJson } from "./saved-run.ts";
import type { VerifyMode } from "./verify-mode.ts";

/** Milliseconds between two writes: what is lost by a kill in between is only done again. */
const EVERY = 1_000;

/** Where a run is written down: replaced as a whole, or not at all. */
export interface StateStore {
  write(content: unknown): Promise<void>;
}

export interface CheckpointOptions {
  readonly store: StateStore;
  readonly token: string;
  readonly since: Date;
  readonly verify: VerifyMode;
  /** What the interrupted run has done that this one goes on with. */
  readonly saved?: SavedRun;
  /** Hears of a store that cannot be written any more: the run must stop. */
  readonly onFailure: (error: unknown) => void;
}

/** Writes down, at most once a second, what is copied and proved, so that a later run need not do it again. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #saved: ReadonlyMap<string, SavedProgress>;
  readonly #collections = new Map<string, Progress>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #written = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#saved = new Map(options.saved?.collections.map((collection) => [collection.name, collection]));
  }

  /** What the interrupted run has done of this collection and this copy of it. */
  former(name: string, { source, target }: Incarnations): SavedProgress | undefined {
    const saved = this.#saved.get(name);
    const known = source !== undefined && target !== undefined;
    return known && saved?.incarnations.source === source && saved.incarnations.target === target
      ? saved
      : undefined;
  }

  /** The progress of a collection, from now on a part of what is written down. */
  open(name: string, incarnations: Incarnations, losses: Losses): Progress {
    const progress = new Progress(name, incarnations, losses, () => this.#touch());
    this.#collections.set(name, progress);
    return progress;
  }

  /** Writes what is not written yet. Nothing is saved any more once a write has failed. */
  async flush(): Promise<void> {
    if (this.#timer === undefined) return await this.#writing;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  #touch(): void {
    if (this.#failed) return;
    const pause = Math.max(0, this.#written + EVERY - performance.now());
    this.#timer ??= setTimeout(() => void this.flush(), pause);
  }

  async #write(): Promise<void> {
    if (this.#failed) return;
    const { store, token, since, verify, onFailure } = this.#options;
    const opened = [...this.#collections.values()].map((progress) => progress.save());
    // What a former run has done of collections that this one has not come to stays as it is.
    const untouched = [...this.#saved.values()].filter(({ name }) => !this.#collections.has(name));
    const collections = [...untouched, ...opened.filter((progress) => progress !== undefined)];
    this.#written = performance.now();
    try {
      await store.write(toJson({ token, since, verify, saved: new Date(), collections }));
    } catch (error) {
      this.#failed = true;
      onFailure(error);
    }
  }
}
