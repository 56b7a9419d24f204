import type { Source } from "../../connectors/connector.ts";
import type { Batch } from "../../document.ts";
import type { Step } from "../walk.ts";

/**
 * The documents of the target that the source has not, and those that it cannot be asked for: whether it has them is to
 * be told as unknown. The other half of `lookUpEach`.
 */
export async function* extrasOf(
  target: AsyncIterable<Batch>,
  source: Source,
  collection: string,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for await (const batch of target) {
    const documents = batch.docs();
    const ids = documents.map(({ id }) => id);
    const there = await source.find(collection, ids, signal);
    const extra = documents.filter(({ id }) => !there.has(id.key));
    yield { equal: { documents: 0, bytes: 0 }, missing: [], different: [], extra, twins: [] };
  }
}
