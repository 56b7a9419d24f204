/** How `restore` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { KV_ENV_PREFIX, repeatable } from "../command.ts";
import type { RestoreFlags } from "./restore-flags.ts";

const EXAMPLES = `
Modes:
  missing    add what the target lacks (default)
  merge      also replace what was changed in the copy alone, or later than in the target
  overwrite  replace everything that differs
  exact      the same, and remove what the copy does not have

Examples:
  $ dualsync restore                    show what would be restored, from the copy to the original
  $ dualsync restore --apply --confirm ordersDB
  $ dualsync restore --id customers/6f9619ff --mode overwrite --apply
  $ dualsync restore --from file:./archive --at 2026-11-20`;

export const restoreCommand: Command = {
  name: "restore",
  describe,
  async prepare(flags, environment) {
    const { prepareRestore } = await import("./restore-flags.ts");
    return await prepareRestore(flags as unknown as RestoreFlags, environment);
  },
};

function describe(program: Program): Program {
  return program
    .command("restore")
    .usage("[flags]")
    .summary("give a database or project back what its copy holds")
    .description(
      "Shows what would be restored from the copy to the original; with --apply saves what is in the way, restores it and verifies it.",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "the copy: mongodb:// URI, env:NAME, mongodb (MONGODB_URI), or file:DIR")
    .option("--at <time>", "of several archives: the last one that was begun by then")
    .option("--to <location>", "what is restored: the same, or supabase")
    .option(...KV_ENV_PREFIX)
    .optionsGroup("What (the first six can be repeated):")
    .option("--include <glob>", "only collections with matching names", repeatable)
    .option("--exclude <glob>", "leave these out (also SYNC_EXCLUDED_COLLECTIONS)", repeatable)
    .option("--rename <old=new>", "restore a collection of the copy under another name", repeatable)
    .option("--filter <name=ejson>", "only matching documents of a collection", repeatable)
    .option("--id <collection/id>", "only this document, as reports print it", repeatable)
    .option("--ids <file>", "only the documents that the file lists, one a line", repeatable)
    .option("--no-indexes", "do not build indexes")
    .optionsGroup("How:")
    .option("--mode <mode>", "missing (default), merge, overwrite or exact")
    .option("--newer-by <field>", "with merge: the date that decides (updated_at, updatedAt)")
    .option("--include-newer", "with exact: also remove what may be newer than the copy")
    .option("--allow-shrink", "with exact: even if more than half would be removed")
    .option("--accept <key>", "do not count this known loss (repeatable)", repeatable)
    .option("--batch-size <n>", "maximum documents per batch (also SYNC_BATCH_SIZE)")
    .option("--concurrency <n>", "ranges restored in parallel (default: 3 or 4)")
    .option("--rate <amount>", "limit reading to 500 (documents) or 5MB per second")
    .optionsGroup("When:")
    .option("--apply", "restore; without it the plan is shown and nothing is written")
    .option("--confirm <name>", "the target's name, where nobody can be asked")
    .option("-n, --dry-run", "show the plan and end with 0")
    .addHelpText("after", EXAMPLES);
}
