/** What became of the documents of a synchronization: counted, and named where people should know. */
import { printId } from "../../bson/print-id.ts";
import type { DocumentId } from "../../model/document.ts";
import { NO_COUNTS, type SyncCounts } from "../../model/sync.ts";
import type { Losses } from "../progress/losses.ts";
import type { Decision, Direction, Finding } from "./decide.ts";

/** What people read of a document that is left as it is, and whether it counts as undone work. */
interface LeftReason {
  readonly reason: string;
  readonly counts: boolean;
}

/** Words for the two sides, and for one document: "KV", "MongoDB", "key". */
export interface SyncWords {
  readonly primary: string;
  readonly copy: string;
  readonly document: string;
}

/** As many are named by a note; more are counted. */
const NAMED = 20;

type MutableCounts = { -readonly [Each in keyof SyncCounts]: number };

export class SyncTally {
  readonly counts: MutableCounts = { ...NO_COUNTS };
  readonly #losses: Losses;
  readonly #words: SyncWords;
  readonly #direction: Direction;
  readonly #note: (message: string) => void;
  #noted = 0;
  /** The first of them. */
  readonly #notes: string[] = [];

  /** `note` is called for what is merged. */
  constructor(losses: Losses, words: SyncWords, direction: Direction, note: (message: string) => void) {
    this.#losses = losses;
    this.#words = words;
    this.#direction = direction;
    this.#note = note;
  }

  /** An empty one, to be merged when it is certain that it stands. */
  part(): SyncTally {
    return new SyncTally(this.#losses.part(), this.#words, this.#direction, () => undefined);
  }

  merge(part: SyncTally): void {
    for (const name of Object.keys(part.counts) as (keyof SyncCounts)[])
      this.counts[name] += part.counts[name];
    this.#losses.merge(part.#losses);
    for (const message of part.#notes.slice(0, NAMED - this.#notes.length)) {
      this.#notes.push(message);
      this.#note(message);
    }
    this.#noted += part.#noted;
  }

  /** Something that stays as it is. */
  left(id: DocumentId, { finding }: Decision): void {
    if (finding === "equal") this.counts.equal++;
    else if (finding === "expired") this.counts.expired++;
    else if (finding === "gone from primary") this.counts.missing++;
    else if (finding === "conflict") this.counts.conflicts++;
    else if (finding !== "gone from both") this.counts.left++;
    const naming = this.#naming(finding);
    if (naming === undefined) return;
    if (naming.counts) this.lose(id, naming.reason);
    else {
      this.#noted++;
      if (this.#notes.length < NAMED)
        this.#notes.push(`${this.#words.document} ${printId(id.element)}: ${naming.reason}`);
    }
  }

  /** Something that could not be done, or not wholly. */
  lose(id: DocumentId, reason: string): void {
    this.#losses.add(`${this.#words.document} ${printId(id.element)}`, reason);
  }

  get moreNoted(): number {
    return Math.max(0, this.#noted - NAMED);
  }

  #naming(finding: Finding): LeftReason | undefined {
    const { primary, copy } = this.#words;
    switch (finding) {
      case "changed in copy":
        return { reason: `changed in ${copy} since both agreed`, counts: true };
      case "only in copy":
        return { reason: `only in ${copy}`, counts: true };
      case "conflict":
        return {
          reason: `differs, and it is not known whether ${primary} or ${copy} is right`,
          counts: true,
        };
      case "changed in primary":
        return { reason: `changed in ${primary} since both agreed`, counts: false };
      case "only in primary":
        return { reason: `only in ${primary}`, counts: false };
      case "gone from copy":
        return { reason: `gone from ${copy}`, counts: false };
      case "expiry differs":
        return this.#direction === "both" ? undefined : { reason: "only its expiry differs", counts: false };
      case "equal":
      case "expired":
      case "gone from primary":
      case "gone from both":
        return undefined;
    }
  }
}
