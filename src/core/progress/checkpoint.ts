import type { VerifyMode } from "../plan/verify-mode.ts";
import type { Losses } from "./losses.ts";
import { Progress, type SavedProgress, type Uids } from "./progress.ts";
import { type SavedRun, toJson } from "./saved-run.ts";
import { Saver, type StateStore } from "./saver.ts";

export interface CheckpointOptions {
  /** Absent: nothing is written down. */
  readonly store?: StateStore | undefined;
  readonly token: string;
  readonly since: Date;
  readonly verify: VerifyMode;
  /** What the interrupted run has done that this one resumes. */
  readonly saved?: SavedRun | undefined;
  /** Hears of a store that can no longer be written: the run must stop. */
  readonly onFailure: (error: unknown) => void;
}

/** Writes down what is copied and proved, so that a later run need not do it again. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #saved: ReadonlyMap<string, SavedProgress>;
  readonly #collections = new Map<string, Progress>();
  readonly #saver: Saver | undefined;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#saved = new Map(options.saved?.collections.map((collection) => [collection.name, collection]));
    const { store, onFailure } = options;
    this.#saver = store && new Saver(store, () => this.#content(), onFailure);
  }

  /** What the interrupted run has done of this collection and this copy of it. */
  former(name: string, { source, target }: Uids): SavedProgress | undefined {
    const saved = this.#saved.get(name);
    const known = source !== undefined && target !== undefined;
    return known && saved?.uids.source === source && saved.uids.target === target ? saved : undefined;
  }

  /** The progress of a collection, from now on a part of what is written down. */
  open(name: string, uids: Uids, losses: Losses): Progress {
    const progress = new Progress(name, uids, losses, () => this.#saver?.touch());
    this.#collections.set(name, progress);
    return progress;
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await this.#saver?.flush();
  }

  #content(): unknown {
    const { token, since, verify } = this.#options;
    const opened = [...this.#collections.values()].map((progress) => progress.save());
    // What a former run has done of collections that this one has not come to stays as it is.
    const untouched = [...this.#saved.values()].filter(({ name }) => !this.#collections.has(name));
    const collections = [...untouched, ...opened.filter((progress) => progress !== undefined)];
    return toJson({ token, since, verify, saved: new Date(), collections });
  }
}
