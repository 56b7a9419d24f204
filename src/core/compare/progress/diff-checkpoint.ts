import type { Uids } from "../../progress/progress.ts";
import { Saver, type StateStore } from "../../progress/saver.ts";
import { DiffProgress, type SavedDiffProgress } from "./diff-progress.ts";

/** Writes down what is compared, so that a later run need not do it again. */
export class DiffCheckpoint {
  readonly #saved: ReadonlyMap<string, SavedDiffProgress>;
  readonly #collections = new Map<string, DiffProgress>();
  readonly #saver: Saver;

  /** `saved` is what an interrupted run has done; `content` makes what is written down of what is done now. */
  constructor(
    store: StateStore,
    saved: readonly SavedDiffProgress[],
    content: (collections: readonly SavedDiffProgress[]) => unknown,
    onFailure: (error: unknown) => void,
  ) {
    this.#saved = new Map(saved.map((collection) => [collection.name, collection]));
    this.#saver = new Saver(store, () => content(this.#content()), onFailure);
  }

  /** The progress of a collection, with what a former run has done of this collection and this copy of it. */
  open(name: string, uids: Uids): DiffProgress {
    const progress = new DiffProgress(name, uids, () => this.#saver.touch());
    this.#collections.set(name, progress);
    const { source, target } = uids;
    const saved = this.#saved.get(name);
    const same = saved?.uids.source === source && saved?.uids.target === target;
    if (saved !== undefined && source !== undefined && same) progress.restore(saved);
    return progress;
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await this.#saver.flush();
  }

  #content(): SavedDiffProgress[] {
    const opened = [...this.#collections.values()].map((progress) => progress.save());
    // What a former run has done of collections that this one does not compare stays as it is.
    const untouched = [...this.#saved.values()].filter(({ name }) => !this.#collections.has(name));
    return [...untouched, ...opened.filter((progress) => progress !== undefined)];
  }
}
