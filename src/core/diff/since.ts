/** Which side changed since the copy was last verified, told by what the target held then. */
import type { Batch, DocumentId } from "../../document.ts";
import { isSealed, type Seal, sealFromBytes, stretchOf } from "../seal/seal.ts";
import type { Stretch } from "../seal/stretch.ts";
import { type Contradiction, layOut, type Since, whoMoved } from "./assignment.ts";
import type { DiffJob } from "./diff-job.ts";

/** Bytes of a stretch that are held in memory; of a larger one nothing is said. */
const MOST_HELD = 32_000_000;
/** Documents that a stretch may hold beyond those that it held: with more it is another one, however that is read. */
const MOST_MORE = 8;
/** Bytes that are read and hashed for one collection; after that nothing is said. */
const MOST_WORK = 1_000_000_000;

export type SinceJob = Pick<DiffJob, "target" | "from" | "to" | "signal">;

/** What is told of differences of one collection. Whatever is in doubt is not told. */
export class SinceVerified {
  readonly #job: SinceJob;
  #work = MOST_WORK;

  constructor(job: SinceJob) {
    this.#job = job;
  }

  /** Of differences that were just seen to be so, by the keys of their ids. */
  async of(differences: readonly Contradiction[]): Promise<ReadonlyMap<string, Since>> {
    const told = new Map<string, Since>();
    if (differences.length === 0 || this.#work <= 0) return told;
    const before = await this.#read();
    const seal = before === undefined ? undefined : this.#ours(before);
    if (before === undefined || seal === undefined) return told;
    for (const [stretch, group] of byStretch(seal, differences)) {
      if (this.#work <= 0) break;
      for (const [id, since] of await this.#compare(stretch, group)) told.set(id.key, since);
    }
    // A run that began to write meanwhile has removed it: then what was read may be that run's work.
    const after = await this.#read();
    return after !== undefined && Buffer.compare(after, before) === 0 ? told : new Map();
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { target, from, to, signal } = this.#job;
    if (!from.ordered || !to.ordered) return undefined;
    const bytes = await target.seal?.(to.name, signal);
    this.#work -= bytes?.length ?? 0;
    return bytes;
  }

  /** A seal is of two very collections, not of others by the same names. */
  #ours(bytes: Uint8Array): Seal | undefined {
    const seal = sealFromBytes(bytes);
    const { from, to } = this.#job;
    return seal?.source === from.incarnation && seal?.target === to.incarnation ? seal : undefined;
  }

  async #compare(
    stretch: Stretch,
    differences: readonly Contradiction[],
  ): Promise<ReadonlyMap<DocumentId, Since>> {
    const batches = await this.#hold(stretch);
    const laidOut = batches === undefined ? undefined : layOut(batches, differences);
    if (laidOut === undefined) return new Map();
    return whoMoved(laidOut, {
      isSealed: (digest) => isSealed(stretch, digest),
      onHashed: (hashedBytes) => {
        this.#work -= hashedBytes;
      },
    });
  }

  /** What the target holds of it now; undefined where that is far more than it was. */
  async #hold({ from, to, documents, bytes }: Stretch): Promise<readonly Batch[] | undefined> {
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

function byStretch(
  seal: Seal,
  differences: readonly Contradiction[],
): ReadonlyMap<Stretch, readonly Contradiction[]> {
  const groups = new Map<Stretch, Contradiction[]>();
  for (const difference of differences) {
    const stretch = stretchOf(seal, difference.id);
    if (stretch === undefined) continue;
    const group = groups.get(stretch);
    if (group === undefined) groups.set(stretch, [difference]);
    else group.push(difference);
  }
  return groups;
}
