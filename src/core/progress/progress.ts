/** What of a collection is copied and proved, and what is left to do. */

import type { IdRange } from "../../connectors/collection.ts";
import type { DocumentId } from "../../model/document.ts";
import { Blocked, type BlockedDocument } from "./blocked.ts";
import { Losses, type SavedLosses } from "./losses.ts";
import { type Counts, Tally } from "./tally.ts";

/** A range that is not done; its beginning moves on as its parts are. */
export interface OpenRange {
  from?: DocumentId | undefined;
  readonly to?: DocumentId | undefined;
}

/** A segment in which the target holds documents that the source lacks. */
export interface Extras {
  readonly range: IdRange;
  readonly documents: number;
}

/** A collection and its copy, each distinguished from later ones of the same name. */
export interface Uids {
  readonly source: string | undefined;
  readonly target: string | undefined;
}

/** What was found, written and lost in a part of a collection; it counts only once the part is done. */
export class Part {
  readonly tally = new Tally();
  readonly losses: Losses;
  readonly blocked = new Blocked();
  readonly #started = performance.now();

  constructor(losses: Losses) {
    this.losses = losses;
  }

  /** Milliseconds since it was begun. */
  get age(): number {
    return performance.now() - this.#started;
  }
}

/** What became of blocked documents; of all others nothing did. */
export interface Settlement {
  readonly written: number;
  readonly kept: number;
  readonly gone: number;
}

export interface SavedProgress {
  readonly name: string;
  readonly uids: { readonly source: string; readonly target: string };
  readonly remaining: readonly IdRange[];
  readonly extras: readonly Extras[];
  readonly counts: Counts;
  readonly losses: SavedLosses;
  readonly blocked: readonly BlockedDocument[];
}

export class Progress {
  readonly name: string;
  readonly tally = new Tally();
  /** Documents that were rejected, by name. */
  losses: Losses;
  /** Documents that are tried again when everything else is done. They count as rejected until then. */
  readonly blocked = new Blocked();
  /** False where the target lacks what this run did not look at. */
  isWhole = true;
  readonly #uids: Uids;
  readonly #changed: () => void;
  #remaining: Set<OpenRange> | undefined;
  #isResumed = false;
  #extras: Extras[] = [];

  /** `changed` hears of everything that is worth writing down. */
  constructor(name: string, uids: Uids, losses: Losses, changed: () => void) {
    this.name = name;
    this.#uids = uids;
    this.losses = losses;
    this.#changed = changed;
  }

  /** Takes up what a former run has done. */
  restore(saved: SavedProgress): void {
    this.#isResumed = true;
    this.#remaining = new Set(saved.remaining.map((range) => ({ ...range })));
    this.#extras = [...saved.extras];
    this.tally.merge(saved.counts);
    this.losses = Losses.restored(this.losses, saved.losses);
    for (const document of saved.blocked) this.blocked.add(document);
  }

  /** Some of it was done by a former run. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** What is left to do; undefined before the collection was cut into ranges. */
  get remaining(): readonly OpenRange[] | undefined {
    return this.#remaining === undefined ? undefined : [...this.#remaining];
  }

  /** Where the target holds documents that the source lacks. */
  get extras(): readonly Extras[] {
    return this.#extras;
  }

  /** Nothing is done, these ranges are to do. */
  begin(ranges: readonly IdRange[]): void {
    this.#remaining = new Set(ranges.map((range) => ({ ...range })));
  }

  part(): Part {
    return new Part(this.losses.part());
  }

  /** Everything of the range below `upTo` is copied and proved; without `upTo` all of it is. */
  commit(range: OpenRange, part: Part, upTo?: DocumentId): void {
    const to = upTo ?? range.to;
    if (part.tally.extra > 0) {
      const segment = { ...range, to };
      this.#extras.push({ range: segment, documents: part.tally.extra });
    }
    this.#take(part);
    if (upTo === undefined) this.#remaining?.delete(range);
    else range.from = upTo;
    this.#changed();
  }

  /** The rest cannot be done in this run: what was found of it counts, and it stays to be done. */
  leave(part: Part): void {
    this.#take(part);
    this.#remaining = undefined;
  }

  #take(part: Part): void {
    this.tally.merge(part.tally);
    this.losses.merge(part.losses);
    this.losses.addDocuments(this.name, this.blocked.merge(part.blocked));
  }

  /**
   * The blocked documents were tried again: so many of them are written now, so many have counterparts in the target that stay,
   * and so many the source no longer has.
   */
  settled({ written, kept, gone }: Settlement): void {
    this.blocked.clear();
    this.tally.written += written;
    this.tally.kept += kept;
    this.tally.rejected -= written + kept + gone;
    this.tally.read -= gone;
    this.#changed();
  }

  /** What was found does not count for a later run: it looks again, as the source may be another by then. */
  forget(): void {
    this.#remaining = undefined;
    this.#changed();
  }

  /** Of these newly found extras, `deleted` were removed. */
  removed(extras: Extras, found: number, deleted: number): void {
    this.#extras = this.#extras.filter((entry) => entry !== extras);
    this.tally.extra += found - extras.documents;
    this.tally.deleted += deleted;
    this.#changed();
  }

  save(): SavedProgress | undefined {
    const { source, target } = this.#uids;
    // What cannot be distinguished from a later collection of the same name is not resumed.
    if (this.#remaining === undefined || source === undefined || target === undefined) return undefined;
    const { name, tally } = this;
    return {
      name,
      uids: { source, target },
      remaining: [...this.#remaining],
      extras: this.#extras,
      counts: tally,
      losses: this.losses.save(),
      blocked: this.blocked.documents,
    };
  }
}
