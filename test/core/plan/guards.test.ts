import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import type { Provenance } from "../../../src/connectors/powers/run-history.ts";
import { unmanagedJobs } from "../../../src/core/plan/guards.ts";

interface Collection {
  readonly uid?: string;
  readonly documents?: number;
}

function info({ uid, documents = 3 }: Collection): CollectionInfo {
  return {
    ...{ name: "orders", kind: "collection", type: "collection", options: new Map(), ordered: true },
    ...{ documents, bytes: 100, uid },
  };
}

/** Whether the target's collection is not known to be a copy of this collection of the source `shop`. */
function isUnmanaged(
  from: Collection,
  existing: Collection | undefined,
  known?: Partial<Provenance>,
): boolean {
  const job = { from: info(from), to: info(from), doubts: [] };
  const store = (label: string, held: Collection | undefined, collections: [string, Provenance][] = []) => ({
    label,
    listing: { collections: held === undefined ? [] : [info(held)], notCopied: [] },
    history: { collections: new Map(collections) },
    uidsHoldNames: false,
  });
  const provenance = { uid: "copy", fromEmpty: true, from: "shop", ...known };
  const target = store("copy", existing, known === undefined ? [] : [["orders", provenance]]);
  return unmanagedJobs([job], store("shop", from), target).length > 0;
}

const FROM = { uid: "original" };
const COPY = { uid: "copy" };

it("a collection is managed if it was copied from this source's address or from this very collection, or holds nothing", () => {
  expect(isUnmanaged(FROM, COPY, { from: "shop" })).toBe(false);
  expect(isUnmanaged(FROM, COPY, { from: "shop by another name", source: "original" })).toBe(false);
  expect(isUnmanaged(FROM, undefined)).toBe(false);
  expect(isUnmanaged(FROM, { ...COPY, documents: 0 })).toBe(false);
});

it("a collection is unmanaged if nothing shows that it was copied from here, or if it has been replaced since", () => {
  expect(isUnmanaged(FROM, COPY)).toBe(true);
  expect(isUnmanaged(FROM, COPY, { from: "another shop", source: "another original" })).toBe(true);
  expect(isUnmanaged(FROM, COPY, { from: "another shop" })).toBe(true);
  expect(isUnmanaged({}, COPY, { from: "another shop" })).toBe(true);
  expect(isUnmanaged(FROM, { uid: "a later copy" }, { from: "shop" })).toBe(true);
});
