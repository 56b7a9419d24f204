/** Flags that the commands which copy have in common. */
import type { Command as Program } from "commander";
import { repeatable } from "../command.ts";

export function describeSafety(program: Program): Program {
  return program
    .option("--delete", "remove what the source no longer has")
    .option("--allow-shrink", "with --delete: even if that is more than half")
    .option("--newer-by <field>", "keep what is newer in the copy by this date")
    .option("--into-existing <database>", "allow a target that dualsync did not fill");
}

export function describeHow(program: Program): Program {
  return program
    .optionsGroup("How:")
    .option("--verify <how>", "content (default), counts or none")
    .option("--accept <key>", "do not count this known loss (repeatable)", repeatable)
    .option("--batch-size <n>", "maximum documents per batch (also SYNC_BATCH_SIZE)")
    .option("--concurrency <n>", "ranges copied in parallel (default: 3 or 4)")
    .option("--rate <amount>", "limit reading to 500 (documents) or 5MB per second")
    .option("--max-target-size <size>", "stop before the target grows larger, e.g. 500MB")
    .option("--max-minutes <n>", "stop cleanly after this time; run again to resume")
    .option("--restart", "discard an interrupted run and start over")
    .option("-n, --dry-run", "show the plan, write nothing")
    .option("-y, --yes", "do not ask before removing documents");
}
