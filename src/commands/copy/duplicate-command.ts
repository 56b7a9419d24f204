/** How `duplicate` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { KV_ENV_PREFIX, repeatable } from "../command.ts";
import type { CopyingFlags } from "./copy-flags.ts";
import { describeHow, describeSafety } from "./copy-options-help.ts";

const EXAMPLES = `
Examples:
  $ dualsync duplicate                  the pair set in the environment
  $ dualsync duplicate --dry-run        show the plan, write nothing
  $ dualsync duplicate --to file:./archive --keep 14 --exclude "tmp_*"`;

export const duplicateCommand: Command = {
  name: "duplicate",
  describe,
  async prepare(flags, environment) {
    const { prepareCopying } = await import("./copy-flags.ts");
    return await prepareCopying("duplicate", flags as unknown as CopyingFlags, environment);
  },
};

function describe(program: Program): Program {
  const command = program
    .command("duplicate")
    .usage("[flags]")
    .summary("copy a MongoDB database to another, or any store to an archive, and verify the copy")
    .description("Copies a database, or any store to an archive, and verifies it byte for byte.")
    .optionsGroup("Where:")
    .option("--from <location>", "mongodb:// URI, env:NAME, mongodb, supabase or kv")
    .option(...KV_ENV_PREFIX)
    .option("--to <location>", "the same, which is written; or archive: file:DIR")
    .optionsGroup("What (the first four can be repeated):")
    .option("--include <glob>", "only collections with matching names", repeatable)
    .option("--exclude <glob>", "leave these out (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <old=new>", "copy a collection under another name", repeatable)
    .option("--filter <name=ejson>", "only matching documents of a collection", repeatable)
    .option("--no-indexes", "do not build indexes");
  return describeHow(describeSafety(command))
    .option("--gzip", "compress an archive")
    .option("--keep <n>", "keep the newest n archives of this source")
    .addHelpText("after", EXAMPLES);
}
