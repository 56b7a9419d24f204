import type { Reader } from "../../connectors/contract.ts";
import type { Digester } from "../../connectors/powers/digests.ts";
import type { Lookup } from "../../connectors/powers/lookup.ts";
import type { Mapping } from "../../connectors/powers/mapping.ts";

/** Bytes of a reply that holds a digest, roughly. */
const DIGEST_BYTES = 300;

type Count = (bytes: number) => void;

/** The store, with every byte of documents that it hands out counted. */
export function metered(store: Reader, count: Count): Reader {
  const { mapping, lookup, digests } = store;
  return {
    ...store,
    mapping: mapping && meteredMapping(mapping, count),
    lookup: lookup && meteredLookup(lookup, count),
    digests: digests && {
      async digester(collection, signal) {
        const digester = await digests.digester(collection, signal);
        return digester && meteredDigester(digester, count);
      },
    },
    async *read(collection, options) {
      for await (const batch of store.read(collection, options)) {
        count(batch.bytes.length);
        yield batch;
      }
    },
  };
}

function meteredLookup({ find, canQuery }: Lookup, count: Count): Lookup {
  return {
    canQuery,
    async find(collection, ids, signal) {
      const found = await find(collection, ids, signal);
      for (const { bytes } of found.values()) count(bytes.length);
      return found;
    },
  };
}

function meteredDigester({ digest }: Digester, count: Count): Digester {
  return {
    digest(selection, signal) {
      count(DIGEST_BYTES);
      return digest(selection, signal);
    },
  };
}

function meteredMapping(mapping: Mapping, count: Count): Mapping {
  return {
    ...mapping,
    async digester(collection, signal) {
      const digester = await mapping.digester?.(collection, signal);
      if (digester === undefined) return undefined;
      return {
        ...digester,
        ...meteredDigester(digester, count),
        async digestPieces(range, pieces, until) {
          const found = await digester.digestPieces(range, pieces, until);
          count(DIGEST_BYTES * found.length);
          return found;
        },
      };
    },
  };
}
