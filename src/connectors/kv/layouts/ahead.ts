/** How much is worked on before its turn. */
interface AheadLimits<T> {
  readonly most: number;
  /** What one takes up while it waits for its turn; one that is larger than all of them is worked on alone. */
  readonly bytesOf?: (item: T) => number;
  readonly bytes?: number;
}

/** What becomes of them, in their order, some of them being worked on ahead of whoever takes the results. */
export async function* ahead<T, R>(
  items: Iterable<T>,
  { most, bytesOf = () => 0, bytes = Number.POSITIVE_INFINITY }: AheadLimits<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const queue: { readonly result: Promise<R>; readonly bytes: number }[] = [];
  let used = 0;
  const take = async (): Promise<R | undefined> => {
    const first = queue.shift();
    used -= first?.bytes ?? 0;
    return await first?.result;
  };
  try {
    for (const item of items) {
      const more = bytesOf(item);
      while (queue.length > 0 && (queue.length === most || used + more > bytes)) yield (await take()) as R;
      const result = work(item);
      result.catch(() => undefined); // it is thrown when its turn comes, if it comes
      queue.push({ result, bytes: more });
      used += more;
    }
    while (queue.length > 0) yield (await take()) as R;
  } finally {
    await Promise.allSettled(queue.map(({ result }) => result));
  }
}
