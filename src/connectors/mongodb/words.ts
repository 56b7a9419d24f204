import type { StoreWords } from "../words.ts";

export const MONGODB_WORDS: StoreWords = {
  store: "a MongoDB database",
  collection: "collection",
  collections: "collections",
  documents: "documents",
  comparedBy: "byte for byte",
  whenEmpty: "Check the database name in the URI.",
  sequences: "Capped and time-series collections",
  notUndone:
    "collections, indexes, options and views that the run made or changed stay, and so do capped and time-series collections",
};
