import type { StoreWords } from "../words.ts";

export const ARCHIVE_WORDS: StoreWords = {
  store: "an archive",
  collection: "collection",
  collections: "collections",
  documents: "documents",
  comparedBy: "byte for byte",
  whenEmpty: "Check the folder.",
  notUndone: "an archive is never changed",
};
