/** Where differences go as they are found: to the person, into the plan, into memory. */

import type { RawDifference } from "../../core/compare/diff-job.ts";
import type { DocumentId } from "../../model/document.ts";
import type { Difference, Reporter } from "../../model/reporter.ts";
import { safeText } from "../../redact/redact.ts";

/** The first differences are kept for the page. */
const SAMPLES = 200;
/** Of as many it is remembered when they were seen first. */
const REMEMBERED = 10_000;

export interface FindingsOptions {
  readonly reporter: Reporter;
  readonly accept: readonly string[];
  readonly oneWay: boolean;
  /** When each difference was seen first by former comparisons. */
  readonly seen: ReadonlyMap<string, Date>;
  /** Takes what a repair could fix. */
  readonly plan?: { row(difference: Difference, id: DocumentId): Promise<void> } | undefined;
  readonly maxDiffs?: number | undefined;
  /** Called once there are `maxDiffs` of them. */
  readonly onLimit: () => void;
}

export class Findings {
  readonly samples: Difference[] = [];
  /** Stable differences that count. */
  counted = 0;
  readonly #options: FindingsOptions;
  readonly #accepted: ReadonlySet<string>;
  readonly #used = new Set<string>();
  readonly #seen = new Map<string, Date>();

  constructor(options: FindingsOptions) {
    this.#options = options;
    this.#accepted = new Set(options.accept);
  }

  async take(reported: RawDifference, id?: DocumentId): Promise<Difference> {
    const { reporter, seen, plan, maxDiffs, onLimit } = this.#options;
    const now = new Date();
    // The key as people see it, so that what they copy from the report into --accept is the same text.
    const key = safeText(reported.key);
    const first = seen.get(key) ?? now;
    const difference = {
      ...reported,
      key,
      firstSeen: first,
      lastSeen: now,
      counted: this.#counts(key, reported),
    };
    if (this.#seen.size < REMEMBERED) this.#seen.set(key, first);
    if (this.samples.length < SAMPLES) this.samples.push(difference);
    reporter.difference(difference);
    await reporter.ready();
    if (reported.state === "stable" && difference.counted && reported.kind !== "unreadable") {
      this.counted++;
      const last = this.counted === maxDiffs;
      if (id !== undefined) await plan?.row(difference, id);
      if (last) onLimit();
    }
    return difference;
  }

  /** When each difference of this run was seen first. */
  get seen(): ReadonlyMap<string, Date> {
    return this.#seen;
  }

  /** Accepted keys that named nothing. */
  get unused(): readonly string[] {
    return [...this.#accepted].filter((key) => !this.#used.has(key));
  }

  #counts(key: string, { kind, sigil }: RawDifference): boolean {
    if (this.#accepted.has(key)) {
      this.#used.add(key);
      return false;
    }
    return !(this.#options.oneWay && (kind === "extra" || sigil === "-"));
  }
}
