/** Compares a collection of a copy with what the target of a restore holds, and writes nothing. */
import { printId } from "../../bson/print-id.ts";
import type { OutsideReference } from "../../connectors/powers/references.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Meter, RestorePreview } from "../../model/reporter.ts";
import type { LastVerified, SegmentWatch } from "../checksums/last-verified.ts";
import { chooseStrategy, type ScanJob, scan } from "../compare/scan.ts";
import type { ChangedSince, Keeping } from "../copy/keeping.ts";
import type { NewerBy } from "../copy/newer.ts";
import { classified, type Equivalence, equivalenceOf } from "../walk/equivalence.ts";
import { find } from "../walk/lookup.ts";
import { lookUpIds, mergeOrLookUp } from "../walk/merge-or-look-up.ts";
import type { DocumentPair, Step } from "../walk/walk.ts";

/** Ids that are shown of those that differ. */
const SHOWN = 5;

export interface PreviewJob extends ScanJob {
  readonly ids?: readonly DocumentId[] | undefined;
  readonly keeping: Keeping;
  readonly newerBy: NewerBy;
  /** What of both is as it was last verified, where `keeping` asks that. */
  readonly lastVerified?: LastVerified | undefined;
  /** Of what only the target has: whether it is to be removed. */
  readonly removes: (document: Doc) => boolean;
  readonly mayBeNewer: (document: Doc) => boolean;
  /** References that lead out of what the target shows. */
  readonly outside?: readonly OutsideReference[] | undefined;
  readonly meter: Meter;
}

export async function previewRestore(job: PreviewJob): Promise<RestorePreview> {
  const equivalence = equivalenceOf(job);
  const count = new Counting(job, equivalence);
  for await (const step of classified(unfiltered(job, stepsOf(job, count)), equivalence)) count.take(step);
  return count.end();
}

function stepsOf(job: PreviewJob, { watches }: Counting): AsyncIterable<Step> {
  if (job.ids !== undefined) return lookUpIds(job, job.ids, job.signal);
  if (watches === undefined) return scanned(job);
  const { filter, signal } = job;
  return mergeOrLookUp(job, { filter, signal }, { onSource: watches.source, onTarget: watches.target });
}

/** By digests where they can be had: what is equal need not be read. */
async function* scanned(job: PreviewJob): AsyncGenerator<Step> {
  yield* scan(job, await chooseStrategy(job), {});
}

/** What a filter selects on one side only is there on the other side all the same, where that has its id. */
async function* unfiltered(
  { source, target, from, to, filter, signal }: PreviewJob,
  steps: AsyncIterable<Step>,
): AsyncIterable<Step> {
  for await (const step of steps) {
    if (filter === undefined || step.missing.length + step.extra.length === 0) {
      yield step;
      continue;
    }
    const idsOf = (documents: readonly Doc[]): readonly DocumentId[] => documents.map(({ id }) => id);
    const there = await find(target, to, idsOf(step.missing), signal);
    const held = await find(source, from, idsOf(step.extra), signal);
    const different = step.missing.flatMap((expected): DocumentPair[] => {
      const found = there.get(expected.id.key);
      return found === undefined ? [] : [{ expected, found }];
    });
    yield {
      ...step,
      missing: step.missing.filter(({ id }) => !there.has(id.key)),
      different: [...step.different, ...different],
      extra: step.extra.filter(({ id }) => !held.has(id.key)),
    };
  }
}

class Counting {
  readonly #job: PreviewJob;
  readonly #equivalence: Equivalence | undefined;
  readonly watches: { readonly source: SegmentWatch; readonly target: SegmentWatch } | undefined;
  readonly #found = {
    ...{ equal: 0, equivalent: 0, different: 0, missing: 0, extra: 0, newer: 0 },
    ...{ overwritten: 0, conflicts: 0, removed: 0, newerExtra: 0, writtenBytes: 0, savedBytes: 0 },
    outside: 0,
  };
  readonly #examples: string[] = [];
  /** Those of which it is not known yet whether they were changed. */
  #waiting: DocumentPair[] = [];

  constructor(job: PreviewJob, equivalence: Equivalence | undefined) {
    this.#job = job;
    this.#equivalence = equivalence;
    const { keeping, lastVerified: last } = job;
    const isAsked = keeping.asksChanges === true && job.ids === undefined;
    if (isAsked && last !== undefined) this.watches = { source: last.watch({}), target: last.watch({}) };
  }

  take({ equal, equivalent, different, missing, extra }: Step): void {
    const found = this.#found;
    found.equal += equal.documents - (equal.equivalent ?? 0);
    found.equivalent += equivalent.length + (equal.equivalent ?? 0);
    found.missing += missing.length;
    for (const { bytes } of missing) found.writtenBytes += bytes.length;
    const { outside = [] } = this.#job;
    for (const one of missing) if (outside.some((reference) => reference.isIn(one))) found.outside++;
    for (const one of extra) this.#takeExtra(one);
    for (const pair of different) this.#takePair(pair);
    this.#settle();
    this.#job.meter.advance(equal.documents + missing.length + different.length, equal.bytes);
  }

  end(): RestorePreview {
    for (const watch of [this.watches?.source, this.watches?.target]) watch?.end();
    this.#settle();
    return { ...this.#found, examples: this.#examples };
  }

  #takeExtra(one: Doc): void {
    const found = this.#found;
    found.extra++;
    if (this.#job.mayBeNewer(one)) found.newerExtra++;
    if (!this.#job.removes(one)) return;
    found.removed++;
    found.savedBytes += one.bytes.length;
  }

  #takePair(pair: DocumentPair): void {
    this.#found.different++;
    if (this.#job.newerBy.newer(pair) !== undefined) this.#found.newer++;
    if (this.#examples.length < SHOWN) this.#examples.push(printId(pair.expected.id.element));
    this.#waiting.push(pair);
  }

  #settle(): void {
    const waiting: DocumentPair[] = [];
    for (const pair of this.#waiting) {
      const changed = this.#changed(pair);
      if (changed === "unknown yet") waiting.push(pair);
      else this.#decide(pair, changed);
    }
    this.#waiting = waiting;
  }

  #changed({ expected, found }: DocumentPair): ChangedSince | undefined | "unknown yet" {
    if (this.watches === undefined) return undefined;
    const source = this.watches.source.isUnchanged(expected.id);
    const target = this.watches.target.isUnchanged(found.id);
    if (source === undefined || target === undefined) return "unknown yet";
    return { source: !source, target: !target };
  }

  #decide(pair: DocumentPair, changed: ChangedSince | undefined): void {
    const found = this.#found;
    const kept = this.#job.keeping.compared(pair, changed, this.#equivalence);
    if (kept === undefined) {
      found.overwritten++;
      found.writtenBytes += pair.expected.bytes.length;
      found.savedBytes += pair.found.bytes.length;
    } else if (kept.loss !== undefined) found.conflicts++;
  }
}
