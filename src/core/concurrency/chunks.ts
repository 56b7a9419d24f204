/** What may be asked for at once. */
export interface ChunkLimits {
  readonly count: number;
  readonly bytes: number;
}

/** Cuts a list into pieces within the limits, in its order; what is larger than all the bytes is a piece of its own. */
export function* chunksOf<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  limits: ChunkLimits,
): Generator<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, item] of items.entries()) {
    const more = bytesOf(item);
    if (at > from && (bytes + more > limits.bytes || at - from === limits.count)) {
      yield items.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += more;
  }
  if (from < items.length) yield items.slice(from);
}
