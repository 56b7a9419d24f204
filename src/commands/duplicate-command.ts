/** How `duplicate` is spelt: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "./command.ts";
import type { CopyingFlags } from "./copying-flags.ts";
import { repeatable } from "./repeatable.ts";

const EXAMPLES = `
Examples:
  $ dualsync duplicate                  the pair that the environment names
  $ dualsync duplicate --dry-run        show the plan, write nothing
  $ dualsync duplicate --from env:LIVE --to env:COPY --exclude "tmp_*"`;

export const duplicateCommand: Command = {
  name: "duplicate",
  describe,
  async prepare(flags, environment) {
    const { prepareCopying } = await import("./copying-flags.ts");
    return prepareCopying("duplicate", flags as unknown as CopyingFlags, environment);
  },
};

function describe(program: Program): Program {
  return program
    .command("duplicate")
    .usage("[flags]")
    .summary("copy a MongoDB database to another one, and prove it")
    .description("Copies a MongoDB database to another one, and proves the copy byte for byte.")
    .optionsGroup("Where:")
    .option("--from <location>", "mongodb:// URI, env:NAME, or mongodb (MONGODB_URI)")
    .option("--to <location>", "the same; it is the one that is written")
    .optionsGroup("What (the first four can be repeated):")
    .option("--include <glob>", "only collections of these names", repeatable)
    .option("--exclude <glob>", "not these (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <old=new>", "copy a collection under another name", repeatable)
    .option("--filter <name=ejson>", "only documents of a collection that match", repeatable)
    .option("--delete", "remove from the target what the source has no more")
    .option("--allow-shrink", "with --delete: even if more than half would go")
    .option("--no-indexes", "do not build indexes")
    .option("--into-existing <database>", "the target may hold documents of others")
    .optionsGroup("How:")
    .option("--verify <how>", "content (default), counts or none")
    .option("--accept <key>", "a known loss that does not count (repeatable)", repeatable)
    .option("--batch-size <n>", "most documents in a batch (also SYNC_BATCH_SIZE)")
    .option("--concurrency <n>", "ranges copied at the same time (3 or 4)")
    .option("--rate <amount>", "read no faster: 500 (documents) or 5MB a second")
    .option("--max-target-size <size>", "stop before the target holds more, e.g. 500MB")
    .option("--max-minutes <n>", "stop cleanly after that; run again to go on")
    .option("--restart", "forget an interrupted run, begin anew")
    .option("-n, --dry-run", "show the plan, write nothing")
    .option("-y, --yes", "do not ask before removing documents")
    .addHelpText("after", EXAMPLES);
}
