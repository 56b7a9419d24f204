import { DualsyncError } from "../../../model/errors.ts";
import type { Store } from "../../contract.ts";
import type { CopyLayouts, LaidOutStore } from "../../copy-layouts.ts";
import type { AgreementReader } from "../../powers/agreements.ts";
import { readRemembered } from "./agreements.ts";
import { collectionPlaces } from "./collection-places.ts";
import { KeyCollections } from "./key-collections.ts";
import { keyStore, laidOutStore } from "./laid-out-store.ts";
import type { KeyPlaces, KeyStore } from "./places.ts";
import { recordPlaces } from "./record-places.ts";
import { RECORDS } from "./records.ts";

const LAYOUTS: ReadonlyMap<string, (store: KeyStore, agreements: AgreementReader) => KeyPlaces> = new Map([
  ["records", recordPlaces],
  ["collections", collectionPlaces],
]);

/** How a copy of a KV store lies in a database of documents. */
export const keyLayouts: CopyLayouts = {
  names: [...LAYOUTS.keys()],
  collection: RECORDS,
  async look(copy, signal) {
    const store = keyStore(copy);
    const { collections, notCopied } = await store.list(signal);
    const present = new Map([
      ["records", await store.count(RECORDS, {}, signal)],
      ["collections", await countCollections(store, signal)],
    ]);
    return {
      remembered: await readRemembered(store, signal),
      present: new Map([...present].filter(([, keys]) => keys > 0)),
      isEmpty: collections.length === 0 && !notCopied.some(({ isLoss }) => isLoss),
    };
  },
  open(copy: Store, layout: string): LaidOutStore {
    const open = LAYOUTS.get(layout);
    if (open === undefined) throw new DualsyncError("bug", `There is no layout ${JSON.stringify(layout)}.`);
    return laidOutStore(copy, open);
  },
};

/** Those that hold exactly one document, and that of a key. */
async function countCollections(store: KeyStore, signal: AbortSignal): Promise<number> {
  let keys = 0;
  for await (const { document } of new KeyCollections(store).readAll(signal))
    if (document !== undefined) keys++;
  return keys;
}
