/** Which of the documents that differ a segment must have held as the source has them, and which as the target has. */
import { createHash, type Hash } from "node:crypto";
import { compareIds } from "../../../bson/compare-ids.ts";
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";

/** `behind`: the source alone has changed. `diverged`: the copy has, too or alone. */
export type Drift = "behind" | "diverged";

/** A document in which two sides differ, as both have it now; absent where a side has none. */
export interface Mismatch {
  readonly id: DocumentId;
  readonly source?: Doc | undefined;
  readonly target?: Doc | undefined;
}

/** A segment in order: documents that are not in question, back to back, and those that are. */
export type LaidOut = readonly (Uint8Array | Mismatch)[];

/** With more documents in question only one answer is tried: that all are as they were. */
const MOST_TRIED = 8;
/** Bytes that may be hashed to try all answers. */
const MOST_HASHED = 64_000_000;

/**
 * Puts the documents in question where they belong among those that the target holds. Undefined when the target does not
 * hold them as they are said to be: then it has changed since.
 */
export function layOut(batches: readonly Batch[], differences: readonly Mismatch[]): LaidOut | undefined {
  const waiting = [...differences].sort((a, b) => compareIds(a.id.element, b.id.element));
  const parts: (Uint8Array | Mismatch)[] = [];
  for (const batch of batches) {
    let at = 0;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const found = batch.indexFrom(at, next.id);
      const isThere = found < batch.length && compareIds(batch.idOf(found).element, next.id.element) === 0;
      if (found === batch.length) break; // it belongs into a later batch, or after all of them
      if (!isSame(isThere ? batch.bytesOf(found) : undefined, next.target?.bytes)) return undefined;
      if (found > at) parts.push(batch.bytes.subarray(batch.start(at), batch.start(found)));
      parts.push(next);
      waiting.shift();
      at = isThere ? found + 1 : found;
    }
    if (at < batch.length) parts.push(batch.bytes.subarray(batch.start(at), batch.end(batch.length - 1)));
  }
  if (waiting.some(({ target }) => target !== undefined)) return undefined;
  return [...parts, ...waiting];
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

export interface Trial {
  /** Whether documents with this SHA-256 are those that there were. */
  readonly matchesChecksum: (digest: Uint8Array) => boolean;
  /** Hears of the bytes that were hashed. */
  readonly onHashed: (bytes: number) => void;
}

/**
 * The one answer that makes the segment what it was: a document that was as the source has it was changed in the target,
 * one that was as the target has it was not. Empty when no answer does, or too many had to be tried: one that both
 * sides have changed was neither.
 */
export function detectDrift(laidOut: LaidOut, trial: Trial): ReadonlyMap<DocumentId, Drift> {
  const search = new Search(laidOut, trial);
  const asked = laidOut.flatMap((part) => (part instanceof Uint8Array ? [] : [part]));
  if (search.isUntouched()) return new Map(asked.map(({ id }) => [id, "behind"]));
  const bytes = laidOut.reduce((sum, part) => sum + sizeOf(part), 0);
  if (asked.length > MOST_TRIED || bytes * 2 ** asked.length > MOST_HASHED) return new Map();
  return new Map(search.from(0, createHash("sha256")));
}

type DriftAnswer = readonly (readonly [DocumentId, Drift])[];

class Search {
  readonly #parts: LaidOut;
  readonly #trial: Trial;

  constructor(parts: LaidOut, trial: Trial) {
    this.#parts = parts;
    this.#trial = trial;
  }

  /** Whether all is as the target has it. */
  isUntouched(): boolean {
    const hash = createHash("sha256");
    for (const part of this.#parts) this.#add(hash, part instanceof Uint8Array ? part : part.target?.bytes);
    return this.#trial.matchesChecksum(hash.digest());
  }

  /** What must have been from this part on, when this was hashed before it; undefined when nothing fits. */
  from(at: number, hash: Hash): DriftAnswer | undefined {
    const part = this.#parts[at];
    if (part === undefined) return this.#trial.matchesChecksum(hash.digest()) ? [] : undefined;
    if (part instanceof Uint8Array) return this.from(at + 1, this.#add(hash, part));
    const other = hash.copy();
    const kept = this.from(at + 1, this.#add(hash, part.target?.bytes));
    if (kept !== undefined) return [[part.id, "behind"], ...kept];
    const changed = this.from(at + 1, this.#add(other, part.source?.bytes));
    return changed === undefined ? undefined : [[part.id, "diverged"], ...changed];
  }

  #add(hash: Hash, bytes: Uint8Array | undefined): Hash {
    if (bytes === undefined) return hash;
    this.#trial.onHashed(bytes.length);
    return hash.update(bytes);
  }
}

function sizeOf(part: LaidOut[number]): number {
  if (part instanceof Uint8Array) return part.length;
  return Math.max(part.source?.bytes.length ?? 0, part.target?.bytes.length ?? 0);
}
