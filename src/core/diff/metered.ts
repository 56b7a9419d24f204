import type { Source } from "../../connectors/connector.ts";

/** Bytes of a reply that holds a digest, roughly. */
const DIGEST_BYTES = 300;

/** The store, with every byte of documents that it hands out counted. */
export function metered(store: Source, count: (bytes: number) => void): Source {
  return {
    ...store,
    async *read(collection, options) {
      for await (const batch of store.read(collection, options)) {
        count(batch.bytes.length);
        yield batch;
      }
    },
    async find(collection, ids, signal) {
      const found = await store.find(collection, ids, signal);
      for (const { bytes } of found.values()) count(bytes.length);
      return found;
    },
    async digester(collection, signal) {
      const digester = await store.digester?.(collection, signal);
      if (digester === undefined) return undefined;
      return {
        digest: (selection, until) => {
          count(DIGEST_BYTES);
          return digester.digest(selection, until);
        },
      };
    },
  };
}
