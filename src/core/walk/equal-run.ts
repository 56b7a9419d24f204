import type { Batch } from "../../model/document.ts";

/** Documents that are compared at first; the number doubles while they are equal. */
const FIRST = 8;

/**
 * How many documents, one after another, are equal byte for byte in both batches from `a` and `b` on. Compares many at a
 * time, without a look at each, and comes closer in halves to the first that differs.
 */
export function equalRun(left: Batch, a: number, right: Batch, b: number): number {
  let equal = 0;
  let most = Math.min(left.length - a, right.length - b);
  for (let take = FIRST; equal < most; ) {
    const sameLength = sameLengths(left, a + equal, right, b + equal, Math.min(take, most - equal));
    if (sameLength > 0 && isEqual(left, a + equal, right, b + equal, sameLength)) {
      if (sameLength < Math.min(take, most - equal)) return equal + sameLength; // the next one has another length
      equal += sameLength;
      take *= 2;
    } else {
      most = equal + Math.max(0, sameLength - 1);
      take = Math.max(1, sameLength >> 1);
    }
  }
  return equal;
}

function sameLengths(left: Batch, a: number, right: Batch, b: number, count: number): number {
  const distance = left.start(a) - right.start(b);
  for (let i = 0; i < count; i++) if (left.end(a + i) - right.end(b + i) !== distance) return i;
  return count;
}

function isEqual(left: Batch, a: number, right: Batch, b: number, count: number): boolean {
  const ours = left.bytes.subarray(left.start(a), left.end(a + count - 1));
  const theirs = right.bytes.subarray(right.start(b), right.end(b + count - 1));
  return Buffer.compare(ours, theirs) === 0;
}
