/** How `diff` is spelt: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { repeatable } from "../command.ts";
import type { DiffFlags } from "./diff-flags.ts";

const EXAMPLES = `
Lines: + only in the source, - only in the target, * different, ! not comparable, = identical (--verbose)

Examples:
  $ dualsync diff                         the pair that the environment names
  $ dualsync diff --plan repair.plan      write down what repair would mend
  $ dualsync diff --from env:LIVE --to env:COPY --report diff.html`;

export const diffCommand: Command = {
  name: "diff",
  describe,
  async prepare(flags, environment) {
    const { prepareDiff } = await import("./diff-flags.ts");
    return await prepareDiff(flags as unknown as DiffFlags, environment);
  },
};

function describe(program: Program): Program {
  return program
    .command("diff")
    .usage("[flags]")
    .summary("compare a store with its copy, exactly; nothing is written")
    .description("Compares a store with its copy, document by document, byte for byte. Writes to neither.")
    .optionsGroup("Where:")
    .option("--from <location>", "mongodb:// URI, env:NAME, mongodb or supabase")
    .option("--to <location>", "the same; the copy")
    .optionsGroup("What (the first four can be repeated):")
    .option("--include <glob>", "only collections of these names", repeatable)
    .option("--exclude <glob>", "not these (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <old=new>", "a collection has another name in the copy", repeatable)
    .option("--filter <name=ejson>", "only documents of a collection that match", repeatable)
    .option("--no-indexes", "do not compare indexes")
    .option("--one-way", "what only the copy has is listed, not counted")
    .option("--ignore-field-order", "documents with the same fields in another order are equal")
    .option("--accept <key>", "a known difference that does not count (repeatable)", repeatable)
    .optionsGroup("How:")
    .option("--settle <seconds>", "how long what is changing may take to agree (36)")
    .option("--max-diffs <n>", "stop after so many differences")
    .option("--max-minutes <n>", "stop cleanly after that; run again to go on")
    .option("--concurrency <n>", "ranges compared at the same time (3 or 4)")
    .option("--restart", "forget an interrupted comparison, begin anew")
    .optionsGroup("What comes of it:")
    .option("--values", "show values of fields, not their types only")
    .option("--plan <file>", "write down what differs, for dualsync repair")
    .option("--report <file>", "write a page (HTML) to look at and keep")
    .addHelpText("after", EXAMPLES);
}
