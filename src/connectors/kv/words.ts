import type { StoreWords } from "../words.ts";

export const KV_WORDS: StoreWords = {
  store: "a KV store",
  collection: "keyspace",
  collections: "keyspaces",
  documents: "keys",
  comparedBy: "by what the keys hold and when they expire",
  whenEmpty: "Check that the address is the one of the database which the application uses.",
  notUndone: "consumer groups of streams that were replaced are not made again",
  mapped: {
    equivalents:
      "JSON in another form, fields of the copy's own, or times of expiry less than two seconds apart",
    alters: "does the application write to it?",
  },
};
