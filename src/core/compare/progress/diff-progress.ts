/** What of a collection is compared, and what is left to do. */

import type { IdRange } from "../../../connectors/collection.ts";
import type { DocumentId } from "../../../model/document.ts";
import type { Tier } from "../../../model/reporter.ts";
import type { OpenRange, Uids } from "../../progress/progress.ts";
import type { DiffCandidate } from "../candidate.ts";
import { DiffTally, SCANNED, type Scanned } from "./diff-tally.ts";

/** Candidates that are saved for a later run; with more, it compares the collection again. */
const MOST_KEPT = 20_000;

/** What a segment of a range has come to; it counts only once the segment is done. */
export class DiffPart {
  readonly tally = new DiffTally();
  readonly candidates: DiffCandidate[] = [];
  readonly #started = performance.now();

  /** Milliseconds since it was begun. */
  get age(): number {
    return performance.now() - this.#started;
  }
}

export interface SavedDiffProgress {
  readonly name: string;
  readonly uids: { readonly source: string; readonly target: string };
  readonly tier: Tier;
  readonly remaining: readonly IdRange[];
  readonly scanned: Scanned;
  readonly candidates: readonly DiffCandidate[];
}

export class DiffProgress {
  readonly name: string;
  readonly tally = new DiffTally();
  /** How it is compared; undefined before that was chosen. */
  tier: Tier | undefined;
  ranges = { done: 0, total: 0 };
  readonly #uids: Uids;
  readonly #changed: () => void;
  #remaining: Set<OpenRange> | undefined;
  /** Seen once. */
  #fresh: DiffCandidate[] = [];
  /** Everything that was seen to differ. */
  #kept: DiffCandidate[] = [];
  #keepable = true;

  /** `changed` hears of everything that is worth writing down. */
  constructor(name: string, uids: Uids, changed: () => void) {
    this.name = name;
    this.#uids = uids;
    this.#changed = changed;
  }

  /** Takes up what a former run has done. What differed then is looked at again. */
  restore({ tier, remaining, scanned, candidates }: SavedDiffProgress): void {
    this.tier = tier;
    this.#remaining = new Set(remaining.map((range) => ({ ...range })));
    this.ranges = { done: 0, total: remaining.length };
    this.tally.merge(scanned);
    this.#fresh = [...candidates];
    this.#kept = [...candidates];
  }

  /** What is left to do; undefined before the collection was cut into ranges. */
  get remaining(): readonly OpenRange[] | undefined {
    return this.#remaining === undefined ? undefined : [...this.#remaining];
  }

  /** Nothing is done, these ranges are to do. */
  begin(ranges: readonly IdRange[]): void {
    this.#remaining = new Set(ranges.map((range) => ({ ...range })));
    this.ranges = { done: 0, total: ranges.length };
  }

  /** Everything of the range below `upTo` is compared; without `upTo` all of it is. */
  commit(range: OpenRange, part: DiffPart, upTo?: DocumentId): void {
    this.tally.merge(part.tally);
    this.#fresh.push(...part.candidates);
    this.#keep(part.candidates);
    if (upTo === undefined) {
      this.#remaining?.delete(range);
      this.ranges.done++;
    } else range.from = upTo;
    this.#changed();
  }

  /** For a range whose end is not in sight and that has too many candidates to keep: a later run compares all of it again. */
  lookNow(part: DiffPart): void {
    this.#fresh.push(...part.candidates.splice(0));
    this.forgo();
  }

  /** Nothing more of this collection is saved: a later run compares all of it again. */
  forgo(): void {
    this.#keepable = false;
    this.#kept = [];
  }

  /** Candidates seen once that nobody has looked at again. */
  get waiting(): number {
    return this.#fresh.length;
  }

  /** Hands them out to be looked at again. */
  takeCandidates(): readonly DiffCandidate[] {
    const taken = this.#fresh;
    this.#fresh = [];
    return taken;
  }

  save(): SavedDiffProgress | undefined {
    const { source, target } = this.#uids;
    const { name, tally, tier } = this;
    // What cannot be distinguished from a later collection of the same name is not resumed.
    if (!this.#keepable || source === undefined || target === undefined) return undefined;
    if (tier === undefined || this.#remaining === undefined) return undefined;
    return {
      name,
      tier,
      uids: { source, target },
      remaining: [...this.#remaining],
      scanned: Object.fromEntries(SCANNED.map((field) => [field, tally[field]])) as Scanned,
      candidates: this.#kept,
    };
  }

  #keep(candidates: readonly DiffCandidate[]): void {
    if (this.#kept.length + candidates.length > MOST_KEPT) {
      this.forgo();
    } else if (this.#keepable) this.#kept.push(...candidates);
  }
}
