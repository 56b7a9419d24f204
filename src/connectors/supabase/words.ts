import type { StoreWords } from "../words.ts";

export const SUPABASE_WORDS: StoreWords = {
  store: "a Supabase project",
  collection: "table",
  collections: "tables",
  comparedBy: "by all that the tables hold",
  notUndone: "sequences that the run moved on stay",
  hidden: {
    givesNothing: "gives no rows",
    whyEmpty: "row-level security or a missing grant looks just like an empty table",
    look: "Look at the table in the project's dashboard.",
    seesNothing: "No rows, as far as this key sees:",
    ifNotSo: "If that is not so, row-level security hides them from it.",
    gone: "its table was copied before and the source does not list it any more: dropped, renamed, or not granted to this key",
    unlisted:
      "A table that is new, or not granted to service_role, is not listed: run in the SQL editor: notify pgrst, 'reload schema';",
  },
  mapped: {
    equivalents: "numbers of another type, or fields that no column has",
    alters: "does its table round them, or a trigger change them?",
  },
};
