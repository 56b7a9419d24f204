/** How `duplicate` is spelt: flags, help, examples. What the flags mean is loaded when they are used. */
import { Option, type Command as Program } from "commander";
import type { Command } from "./command.ts";
import type { DuplicateFlags } from "./duplicate-flags.ts";

const EXAMPLES = `
Examples:
  $ dualsync duplicate                        the pair that the environment names
  $ dualsync duplicate --dry-run              show the plan, write nothing
  $ dualsync duplicate --from env:LIVE_URI --to env:COPY_URI --exclude "tmp_*"`;

export const duplicateCommand: Command = {
  name: "duplicate",
  describe,
  async prepare(flags, environment) {
    const { prepareDuplicate } = await import("./duplicate-flags.ts");
    return prepareDuplicate(flags as unknown as DuplicateFlags, environment);
  },
};

function describe(program: Program): Program {
  const many = (value: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    value,
  ];
  return program
    .command("duplicate")
    .summary("copy a MongoDB database to another one, and prove the copy")
    .description(
      "Copies a MongoDB database (data, indexes, options, views) to another one and proves the copy byte for byte.",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "source: a mongodb:// URI, env:NAME, or mongodb (= MONGODB_URI)")
    .option("--to <location>", "target, in the same forms")
    .optionsGroup("What:")
    .option("--include <glob>", "only collections of these names (repeatable)", many)
    .option("--exclude <glob>", "not these (repeatable; also SYNC_EXCLUDED_COLLECTIONS)", many)
    .option("--rename <old=new>", "copy a collection under another name (repeatable)", many)
    .option("--filter <collection=ejson>", "only documents that match (repeatable)", many)
    .option("--delete", "remove from the target what the source no longer has", false)
    .option("--no-indexes", "do not build indexes")
    .optionsGroup("How:")
    .addOption(
      new Option("--verify <how>", "how to prove the copy")
        .choices(["content", "counts", "none"])
        .default("content"),
    )
    .option("--accept <key>", "a known loss that shall not count (repeatable)", many)
    .option("--batch-size <n>", "most documents in a batch (also SYNC_BATCH_SIZE)")
    .option("--concurrency <n>", "ranges copied at the same time (default: 4)")
    .option("-n, --dry-run", "show the plan, write nothing", false)
    .option("-y, --yes", "do not ask before removing documents", false)
    .addHelpText("after", EXAMPLES);
}
