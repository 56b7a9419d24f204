/** Flags that the commands which copy have in common. */
import type { Command as Program } from "commander";
import { repeatable } from "../command.ts";

export function describeSafety(program: Program): Program {
  return program
    .option("--delete", "remove from the target what the source has no more")
    .option("--allow-shrink", "with --delete: even if more than half would go")
    .option("--newer-by <field>", "date by which a newer copy stays (updated_at, updatedAt)")
    .option("--into-existing <database>", "the target may hold documents of others");
}

export function describeHow(program: Program): Program {
  return program
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
    .option("-y, --yes", "do not ask before removing documents");
}
