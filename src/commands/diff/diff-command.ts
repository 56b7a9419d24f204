/** How `diff` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { KV_ENV_PREFIX, repeatable } from "../command.ts";
import type { DiffFlags } from "./diff-flags.ts";

const EXAMPLES = `
Lines: + only in the source, - only in the target, * different, ! not comparable, = identical (--verbose)

Examples:
  $ dualsync diff                         the pair set in the environment
  $ dualsync diff --plan repair.plan      write a plan for dualsync repair
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
    .summary("compare a store with its copy exactly, without writing")
    .description("Compares a store with its copy, document by document, byte for byte. Writes to neither.")
    .optionsGroup("Where:")
    .option("--from <location>", "mongodb:// URI, env:NAME, mongodb or supabase")
    .option("--to <location>", "the same; the copy")
    .option(...KV_ENV_PREFIX)
    .optionsGroup("What (the first four can be repeated):")
    .option("--include <glob>", "only collections with matching names", repeatable)
    .option("--exclude <glob>", "leave these out (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <old=new>", "this collection has another name in the copy", repeatable)
    .option("--filter <name=ejson>", "only matching documents of a collection", repeatable)
    .option("--no-indexes", "do not compare indexes")
    .option("--one-way", "list what only the copy has, but do not count it")
    .option("--ignore-field-order", "treat documents as equal if only the field order differs")
    .option("--accept <key>", "do not count this known difference (repeatable)", repeatable)
    .optionsGroup("How:")
    .option("--settle <seconds>", "how long to wait for changing documents to agree (36)")
    .option("--max-diffs <n>", "stop after this many differences")
    .option("--max-minutes <n>", "stop cleanly after this time; run again to resume")
    .option("--concurrency <n>", "ranges compared in parallel (default: 3 or 4)")
    .option("--restart", "discard an interrupted comparison and start over")
    .optionsGroup("Results:")
    .option("--values", "show the values of fields, not only their types")
    .option("--plan <file>", "write a plan for dualsync repair")
    .option("--report <file>", "write an HTML report")
    .addHelpText("after", EXAMPLES);
}
