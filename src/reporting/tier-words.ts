import type { ComparedCollection, Tier } from "./reporter.ts";

/** How a collection was compared, in a word for a table and in a sentence. */
export const TIER_WORDS: { readonly [Each in Tier]: { readonly word: string; readonly sentence: string } } = {
  bytes: { word: "read", sentence: "every byte of both sides was read" },
  hashes: {
    word: "hashed",
    sentence: "the servers hashed every byte with SHA-256, and only what differed was read",
  },
  lookup: { word: "looked up", sentence: "each document was looked up on the other side by its _id" },
  whole: { word: "as a whole", sentence: "all documents were read and compared as a whole, without an _id" },
  definition: { word: "definition", sentence: "only the definition was compared, for there is nothing else" },
};

/** Each way in which something was compared, once; those of collections that hold documents first. */
export function tiers(collections: readonly ComparedCollection[]): Tier[] {
  const order = Object.keys(TIER_WORDS) as Tier[];
  const used = new Set(collections.filter((of) => of.verdict !== "not compared").map(({ tier }) => tier));
  return order.filter((tier) => used.has(tier));
}
