import { createHash } from "node:crypto";
import type { CollectionInfo, ReadOptions } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { Batch } from "../../model/document.ts";

/**
 * What a store gives, without the documents that it gives again: a scan without an order may give one twice, and what is
 * counted twice is no count. Documents with one `_id` and other bytes all come: they may be several. Holds some 70 bytes a
 * document, only of collections that are read without an order and whose ids are not guaranteed to be unique.
 */
export function readOnce(
  store: Reader,
  collection: CollectionInfo,
  options: ReadOptions,
): AsyncIterable<Batch> {
  const batches = store.read(collection, options);
  return collection.ordered || collection.idsAreUnique === true ? batches : withoutRepeats(batches);
}

async function* withoutRepeats(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  for await (const batch of batches) {
    const documents = batch.docs();
    const fresh = documents.filter(({ bytes }) => {
      const digest = createHash("sha256").update(bytes).digest().toString("latin1", 0, 16);
      const { size } = seen;
      return seen.add(digest).size > size;
    });
    if (fresh.length === documents.length) yield batch;
    else if (fresh.length > 0) yield Batch.of(fresh);
  }
}
