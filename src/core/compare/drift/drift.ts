/** Which side changed since the copy was last verified, according to what the target held then. */
import type { Batch, DocumentId } from "../../../model/document.ts";
import { type Checksums, checksumsFromBytes, matchesChecksum, segmentOf } from "../../checksums/checksums.ts";
import type { Segment } from "../../checksums/segment.ts";
import { inOrder } from "../../walk/merge-or-look-up.ts";
import type { DiffJob } from "../diff-job.ts";
import { type Drift, detectDrift, layOut, type Mismatch } from "./detect-drift.ts";

/** Bytes of a segment that are held in memory; of a larger one nothing is said. */
const MOST_HELD = 32_000_000;
/** Documents that a segment may hold beyond those that it held: with more it is another one, however that is read. */
const MOST_MORE = 8;
/** Bytes that are read and hashed for one collection; after that nothing is said. */
const MOST_WORK = 1_000_000_000;

export type DriftJob = Pick<DiffJob, "target" | "from" | "to" | "signal">;

/** The drift of the differences of one collection. Whatever is in doubt is left open. */
export class DriftDetector {
  readonly #job: DriftJob;
  #work = MOST_WORK;

  constructor(job: DriftJob) {
    this.#job = job;
  }

  /** Of differences that were just seen to be so, by the keys of their ids. */
  async of(differences: readonly Mismatch[]): Promise<ReadonlyMap<string, Drift>> {
    const reported = new Map<string, Drift>();
    if (differences.length === 0 || this.#work <= 0) return reported;
    const before = await this.#read();
    const checksums = before === undefined ? undefined : this.#ours(before);
    if (before === undefined || checksums === undefined) return reported;
    for (const [segment, group] of bySegment(checksums, differences)) {
      if (this.#work <= 0) break;
      for (const [id, drift] of await this.#compare(segment, group)) reported.set(id.key, drift);
    }
    // A run that began to write meanwhile has removed it: then what was read may be that run's work.
    const after = await this.#read();
    return after !== undefined && Buffer.compare(after, before) === 0 ? reported : new Map();
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { target, from, to, signal } = this.#job;
    if (!inOrder({ from, to })) return undefined;
    const bytes = await target.checksums?.read(to.name, signal);
    this.#work -= bytes?.length ?? 0;
    return bytes;
  }

  /** Checksums are of two particular collections, not of others by the same names. */
  #ours(bytes: Uint8Array): Checksums | undefined {
    const checksums = checksumsFromBytes(bytes);
    const { from, to } = this.#job;
    return checksums?.source === from.uid && checksums?.target === to.uid ? checksums : undefined;
  }

  async #compare(
    segment: Segment,
    differences: readonly Mismatch[],
  ): Promise<ReadonlyMap<DocumentId, Drift>> {
    const batches = await this.#hold(segment);
    const laidOut = batches === undefined ? undefined : layOut(batches, differences);
    if (laidOut === undefined) return new Map();
    return detectDrift(laidOut, {
      matchesChecksum: (digest) => matchesChecksum(segment, digest),
      onHashed: (hashedBytes) => {
        this.#work -= hashedBytes;
      },
    });
  }

  /** What the target holds of it now; undefined where that is far more than it was. */
  async #hold({ from, to, documents, bytes }: Segment): Promise<readonly Batch[] | undefined> {
    if (bytes > MOST_HELD) return undefined;
    const { target, to: collection, signal } = this.#job;
    const range = { from, to };
    const held: Batch[] = [];
    let count = 0;
    let size = 0;
    for await (const batch of target.read(collection, { range, signal })) {
      count += batch.length;
      size += batch.bytes.length;
      this.#work -= batch.bytes.length;
      if (count > documents + MOST_MORE || size > MOST_HELD) return undefined;
      held.push(batch);
    }
    return held;
  }
}

function bySegment(
  checksums: Checksums,
  differences: readonly Mismatch[],
): ReadonlyMap<Segment, readonly Mismatch[]> {
  const groups = new Map<Segment, Mismatch[]>();
  for (const difference of differences) {
    const segment = segmentOf(checksums, difference.id);
    if (segment === undefined) continue;
    const group = groups.get(segment);
    if (group === undefined) groups.set(segment, [difference]);
    else group.push(difference);
  }
  return groups;
}
