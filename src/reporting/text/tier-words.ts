import type { ComparedCollection, Tier } from "../../model/reporter.ts";

/** How a collection was compared, in a word for a table and in a sentence. */
export const TIER_WORDS: { readonly [Each in Tier]: { readonly word: string; readonly sentence: string } } = {
  bytes: { word: "read", sentence: "every byte of both sides was read" },
  hashes: {
    word: "hashed",
    sentence:
      "both servers hashed every byte, and only segments that differed, or were too large to be hashed, were read",
  },
  "source-hashes": {
    word: "source hashed",
    sentence:
      "the source's server hashed every byte, every document of the target was read and hashed here, and only segments that differed, or were too large to be hashed, were read on both sides",
  },
  "target-hashes": {
    word: "target hashed",
    sentence:
      "the target's server hashed every byte, every document of the source was read and hashed here, and only segments that differed, or were too large to be hashed, were read on both sides",
  },
  records: {
    word: "records hashed",
    sentence:
      "the store hashed the exact text of every record, each document was read and hashed as the record that it stands for, and only segments that differed were read on both sides",
  },
  lookup: { word: "looked up", sentence: "each document was looked up on the other side by its _id" },
  whole: { word: "as a whole", sentence: "all documents were read and compared as a whole, without an _id" },
  definition: { word: "definition", sentence: "only the definition was compared: there is nothing else" },
};

/** Each way in which something was compared, once; those of collections that hold documents first. */
export function tiers(collections: readonly ComparedCollection[]): Tier[] {
  const order = Object.keys(TIER_WORDS) as Tier[];
  const used = new Set(collections.filter((of) => of.verdict !== "not compared").map(({ tier }) => tier));
  return order.filter((tier) => used.has(tier));
}

/** How it was compared, in a sentence; the words of the table stand before it where there are several ways. */
export function howCompared(collections: readonly ComparedCollection[]): string | undefined {
  const used = tiers(collections).map((tier) => TIER_WORDS[tier]);
  if (used.length === 0) return undefined;
  const several = used.length > 1;
  return `${used.map(({ word, sentence }) => (several ? `${word}: ${sentence}` : sentence)).join("; ")}.`;
}
