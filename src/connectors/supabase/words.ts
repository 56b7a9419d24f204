import type { StoreWords } from "../words.ts";

export const SUPABASE_WORDS: StoreWords = {
  store: "a Supabase project",
  collection: "table",
  collections: "tables",
  documents: "rows",
  comparedBy: "by everything that the tables hold",
  whenEmpty:
    "Check the project's address, and which tables its API shows to service_role: views are not copied.",
  notUndone: "sequences that the run advanced stay as they are",
  hidden: {
    givesNothing: "gives no rows",
    whyEmpty: "row-level security or a missing grant looks like an empty table",
    look: "Look at the table in the project's dashboard.",
    seesNothing: "This key sees no rows in",
    ifNotSo: "If the tables are not empty, row-level security hides their rows.",
    gone: "its table was copied before, but the source no longer lists it: dropped, renamed, or not granted to this key",
    unlisted:
      "A table that is new, or not granted to service_role, is not listed: run in the SQL editor: notify pgrst, 'reload schema';",
  },
  mapped: {
    equivalents: "numbers of another type, or fields that no column has",
    alters: "does its table round them, or a trigger change them?",
  },
};
