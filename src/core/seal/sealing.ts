import { compareIds } from "../../bson/compare-ids.ts";
import type { CollectionInfo, IdRange, Target } from "../../connectors/connector.ts";
import type { DocumentId } from "../../document.ts";
import type { Incarnations } from "../progress.ts";
import type { VerifyMode } from "../verify-mode.ts";
import { type Seal, sealToBytes } from "./seal.ts";
import type { Stretch } from "./stretch.ts";
import { StretchHash } from "./stretch-hash.ts";

/** Bytes of a stretch at the least, and of the collection's bytes that part: a seal stays small however large that is. */
const STRETCH_BYTES = 256 * 1024;
const STRETCHES = 4_096;
/** Parts of ranges that end early make more of them. */
const MOST_STRETCHES = 2 * STRETCHES;
/** Documents that are not what the source has. With more there is no seal. */
const MOST_UNSURE = 100_000;

export interface SealingOptions {
  readonly from: CollectionInfo;
  readonly filter?: unknown;
  readonly since?: unknown;
  readonly verify: VerifyMode;
  readonly target: Target;
}

/** Hashes documents of the collection from this one on, in stretches of the size that its seal has. */
export function stretchHash({ from, target }: Pick<SealingOptions, "from" | "target">, range: IdRange) {
  const limit = Math.max(STRETCH_BYTES, Math.ceil(from.bytes / STRETCHES));
  return new StretchHash({ limit, from: range.from, canFind: (id) => target.canFind(id) });
}

/** Gathers what this run has read of a collection and proved of its copy. */
export class Sealing {
  readonly #incarnations: Pick<Seal, "source" | "target">;
  readonly #stretches: Stretch[] = [];
  #unsure: DocumentId[] = [];
  #given = 0;

  private constructor(incarnations: Pick<Seal, "source" | "target">) {
    this.#incarnations = incarnations;
  }

  /** Undefined where there can be no seal: not everything is read, nothing is read back, or not in order. */
  static of(
    { from, filter, since, verify, target }: SealingOptions,
    { source, target: copy }: Incarnations,
  ): Sealing | undefined {
    if (verify !== "content" || from.kind !== "collection" || !from.ordered) return undefined;
    if (filter !== undefined || since !== undefined) return undefined;
    if (source === undefined || copy === undefined || target.leaveSeal === undefined) return undefined;
    return new Sealing({ source, target: copy });
  }

  /** The target holds these documents, which are the source's, and no others. */
  add(stretches: readonly Stretch[]): void {
    this.#stretches.push(...stretches);
  }

  /** Of these ids that is not so, whatever `add` was told. */
  except(ids: readonly DocumentId[]): void {
    this.#given += ids.length;
    if (this.#given > MOST_UNSURE) this.#unsure = [];
    else this.#unsure.push(...ids);
  }

  /** Call when everything is written; undefined when there is nothing to say. */
  bytes(): Uint8Array | undefined {
    if (this.#given > MOST_UNSURE) return undefined;
    const ids = this.#unsure.sort((a, b) => compareIds(a.element, b.element));
    const ordered = this.#stretches.sort(byBeginning);
    const stretches = [...sure(ordered, ids)].slice(0, MOST_STRETCHES);
    return stretches.length === 0
      ? undefined
      : sealToBytes({ ...this.#incarnations, at: new Date(), stretches });
  }
}

function byBeginning(a: Stretch, b: Stretch): number {
  if (a.from === undefined) return -1;
  return b.from === undefined ? 1 : compareIds(a.from.element, b.from.element);
}

/** The stretches in which none of the ids lies; both are in order. */
function* sure(stretches: readonly Stretch[], ids: readonly DocumentId[]): Generator<Stretch> {
  let at = 0;
  for (const stretch of stretches) {
    const { from, to } = stretch;
    const isBelow = (bound: DocumentId): boolean =>
      compareIds((ids[at] as DocumentId).element, bound.element) < 0;
    while (from !== undefined && at < ids.length && isBelow(from)) at++;
    const isEmpty = from !== undefined && to !== undefined && compareIds(from.element, to.element) >= 0;
    if (!isEmpty && (at === ids.length || (to !== undefined && !isBelow(to)))) yield stretch;
  }
}
