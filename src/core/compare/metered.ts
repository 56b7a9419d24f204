import type { Mapping, Source } from "../../connectors/contract.ts";

/** Bytes of a reply that holds a digest, roughly. */
const DIGEST_BYTES = 300;

/** The store, with every byte of documents that it hands out counted. */
export function metered(store: Source, count: (bytes: number) => void): Source {
  const { mapping } = store;
  return {
    ...store,
    mapping: mapping && meteredMapping(mapping, count),
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

function meteredMapping(mapping: Mapping, count: (bytes: number) => void): Mapping {
  return {
    ...mapping,
    async digester(collection, signal) {
      const digester = await mapping.digester?.(collection, signal);
      if (digester === undefined) return undefined;
      return {
        ...digester,
        digest: (selection, until) => {
          count(DIGEST_BYTES);
          return digester.digest(selection, until);
        },
        async digestPieces(range, pieces, until) {
          const found = await digester.digestPieces(range, pieces, until);
          count(DIGEST_BYTES * found.length);
          return found;
        },
      };
    },
  };
}
