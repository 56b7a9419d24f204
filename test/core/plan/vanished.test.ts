import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { hiddenBeside, vanished } from "../../../src/core/plan/vanished.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

function held(name: string, documents: number): CollectionInfo {
  return {
    name,
    documents,
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    bytes: 1_000,
  };
}

/** The copies of a source that lists nothing any more, where these tables are left out. */
function gone(left: readonly string[] = [], copies: readonly string[] = []): string[] {
  const provenance = (from: string) => ({ uid: "i", fromEmpty: true, from });
  const source = {
    label: "shop",
    listing: { collections: [], notCopied: [] },
    history: { collections: new Map() },
    uidsHoldNames: true,
  };
  const target = {
    label: "copy",
    listing: {
      collections: [held("orders", 3), held("shops", 2), held("empty", 0), held("others", 4)],
      notCopied: [],
    },
    uidsHoldNames: false,
    history: {
      collections: new Map([
        ...["orders", "shops", "empty", "dropped"].map((name) => [name, provenance("shop")] as const),
        ["others", provenance("another shop")] as const,
      ]),
    },
  };
  const wanted = {
    selects: (name: string) => !left.includes(name),
    ...{ renames: new Map(), usualRenames: new Map([["shop", "shops"]]), filters: new Map() },
  };
  return vanished({ jobs: [], copies: new Set(copies) }, source, target, wanted);
}

it("reports copies of this source that hold documents and are not listed any more, and nothing else", () => {
  expect(gone()).toEqual(["orders", "shops"]);
  expect(gone([], ["orders"])).toEqual(["shops"]);
});

it("does not report what a person left out, under any name that it may have in the source", () => {
  expect(gone(["orders"])).toEqual(["shops"]);
  expect(gone(["shop"])).toEqual(["orders"]);
  expect(gone(["shops"])).toEqual(["orders"]);
});

it("does not report as hidden what a person left out under one of its names in the source", async () => {
  const found = await hiddenBeside(
    { jobs: [], copies: new Set() },
    {
      source: Object.assign(new MemoryStore([]), { hiding: { reason: async () => "no right to read it" } }),
      listing: { collections: [held("orders", 3), held("shops", 2)], notCopied: [] },
    },
    {
      selects: (name) => name !== "shop",
      ...{ renames: new Map([["shop", "shops"]]), filters: new Map() },
    },
    never,
  );
  expect([...found.keys()]).toEqual(["orders"]);
});
