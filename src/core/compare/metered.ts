import type { Reader } from "../../connectors/contract.ts";
import type { Digester } from "../../connectors/powers/digests.ts";
import type { Lookup } from "../../connectors/powers/lookup.ts";
import type { Mapping } from "../../connectors/powers/mapping.ts";
import { withMembers } from "../../connectors/wrappers/with-members.ts";
import type { Batch } from "../../model/document.ts";

/** Bytes of a reply that holds a digest, roughly. */
const DIGEST_BYTES = 300;

type Count = (bytes: number) => void;

/** The store, with every byte of documents that it hands out counted. */
export function metered(store: Reader, count: Count): Reader {
  const { mapping, lookup, digests, keys } = store;
  const counted = async function* (batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of batches) {
      count(batch.bytes.length);
      yield batch;
    }
  };
  return withMembers(store, {
    mapping: mapping && meteredMapping(mapping, count),
    lookup: lookup && meteredLookup(lookup, count),
    keys: keys && { read: (collection, options) => counted(keys.read(collection, options)) },
    digests: digests && {
      async digester(collection, signal) {
        const digester = await digests.digester(collection, signal);
        return digester && meteredDigester(digester, count);
      },
    },
    read: (collection, options) => counted(store.read(collection, options)),
  });
}

function meteredLookup(lookup: Lookup, count: Count): Lookup {
  return withMembers(lookup, {
    async find(collection, ids, signal) {
      const found = await lookup.find(collection, ids, signal);
      for (const { bytes } of found.values()) count(bytes.length);
      return found;
    },
  });
}

function meteredDigester(digester: Digester, count: Count): Digester {
  return {
    digest(selection, signal) {
      count(DIGEST_BYTES);
      return digester.digest(selection, signal);
    },
  };
}

function meteredMapping(mapping: Mapping, count: Count): Mapping {
  return withMembers(mapping, {
    async digester(collection, signal) {
      const digester = await mapping.digester?.(collection, signal);
      if (digester === undefined) return undefined;
      return withMembers(digester, {
        ...meteredDigester(digester, count),
        async digestPieces(range, pieces, until) {
          const found = await digester.digestPieces(range, pieces, until);
          count(DIGEST_BYTES * found.length);
          return found;
        },
      });
    },
  });
}
