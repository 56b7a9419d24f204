/** A copy without what has expired in its primary meanwhile: a restore does not bring that back. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Store, With } from "../../connectors/contract.ts";
import type { IsDue } from "../../connectors/powers/expiry.ts";
import { withMembers } from "../../connectors/wrappers/with-members.ts";
import { Batch, type Doc } from "../../model/document.ts";

/** What a copy says when its documents expire. */
type ExpiringCopy = Store & With<"lookup" | "expiry">;

export interface WithoutExpired {
  readonly store: Store;
  /** How many documents were left out when the store was listed last. */
  readonly expired: number;
}

/** `now`: by the fastest of the clocks. What is listed is read for that once. */
export function withoutExpired(copy: ExpiringCopy, now: () => Date): WithoutExpired {
  const rules = new Map<string, IsDue>();
  let expired = 0;

  async function ruleOf(collection: CollectionInfo, signal: AbortSignal): Promise<IsDue> {
    const rule = rules.get(collection.name) ?? (await copy.expiry.of(collection, signal));
    rules.set(collection.name, rule);
    return rule;
  }

  async function countExpired(collection: CollectionInfo, signal: AbortSignal): Promise<number> {
    const isDue = await ruleOf(collection, signal);
    let due = 0;
    for await (const batch of copy.read(collection, { signal })) {
      due += batch.docs().filter((doc) => isDue(doc, now())).length;
      batch.release();
    }
    return due;
  }

  const store = withMembers<Store>(copy, {
    // More may expire at any moment.
    countsExactly: false,
    async list(signal, selects) {
      const listing = await copy.list(signal, selects);
      const collections: CollectionInfo[] = [];
      expired = 0;
      for (const info of listing.collections) {
        const due = await countExpired(info, signal);
        expired += due;
        collections.push({ ...info, documents: Math.max(0, info.documents - due) });
      }
      return { ...listing, collections };
    },
    async *read(collection, options) {
      const isDue = await ruleOf(collection, options.signal);
      for await (const batch of copy.read(collection, options)) {
        const documents = batch.docs();
        const staying = documents.filter((doc) => !isDue(doc, now()));
        if (staying.length === documents.length) yield batch;
        else if (staying.length > 0) yield Batch.of(staying);
      }
    },
    lookup: withMembers(copy.lookup, {
      async find(collection, ids, signal) {
        const isDue = rules.get(collection);
        const found = await copy.lookup.find(collection, ids, signal);
        const staying = (doc: Doc): boolean => isDue?.(doc, now()) !== true;
        return new Map([...found].filter(([, doc]) => staying(doc)));
      },
    }),
  });
  return {
    store,
    get expired() {
      return expired;
    },
  };
}
