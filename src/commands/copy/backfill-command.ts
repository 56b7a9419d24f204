/** How `backfill` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { repeatable } from "../command.ts";
import type { CopyingFlags } from "./copy-flags.ts";
import { describeHow, describeSafety } from "./copy-options-help.ts";

const EXAMPLES = `
Examples:
  $ dualsync backfill                   the project and the MongoDB of the environment
  $ dualsync backfill --dry-run         show the plan, write nothing
  $ dualsync backfill --since last --delete --yes`;

export const backfillCommand: Command = {
  name: "backfill",
  describe,
  async prepare(flags, environment) {
    const { prepareCopying } = await import("./copy-flags.ts");
    return await prepareCopying("backfill", flags as unknown as CopyingFlags, environment);
  },
};

function describe(program: Program): Program {
  const command = program
    .command("backfill")
    .usage("[flags]")
    .summary("copy the tables of a Supabase project to MongoDB and verify the copy")
    .description(
      "Copies the tables of a Supabase project into collections of a MongoDB database: writes what is missing, replaces what differs, and reads everything back.",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "supabase (its URL and key from the environment)")
    .option("--to <location>", "mongodb:// URI, env:NAME, or mongodb (MONGODB_URI)")
    .optionsGroup("What (the first three can be repeated):")
    .option("--include <glob>", "only tables with matching names", repeatable)
    .option("--exclude <glob>", "leave these out (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <table=name>", "a new name in the copy; shop=shops is built in", repeatable)
    .option("--since <time>", "only rows changed since a time; last: since the last run");
  return describeHow(describeSafety(command)).addHelpText("after", EXAMPLES);
}
