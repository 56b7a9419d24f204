/** Milliseconds between two writes: what is lost by a kill in between is only done again. */
const EVERY = 1_000;

/** Where a run is written down: replaced as a whole, or not at all. */
export interface StateStore {
  write(content: unknown): Promise<void>;
}

/** Saves how far a run is, at most once a second. Nothing more is written once that has failed. */
export class Saver {
  readonly #store: StateStore;
  readonly #content: () => unknown;
  readonly #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #written = Number.NEGATIVE_INFINITY;
  #failed = false;

  /** `content` makes what should be written; `onFailure` hears of a store that cannot be written: the run must stop. */
  constructor(store: StateStore, content: () => unknown, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#content = content;
    this.#onFailure = onFailure;
  }

  /** There is something new to write down. */
  touch(): void {
    if (this.#failed) return;
    const pause = Math.max(0, this.#written + EVERY - performance.now());
    this.#timer ??= setTimeout(() => void this.flush(), pause);
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.#timer === undefined) return await this.#writing;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#failed) return;
    this.#written = performance.now();
    try {
      await this.#store.write(this.#content());
    } catch (error) {
      this.#failed = true;
      this.#onFailure(error);
    }
  }
}
