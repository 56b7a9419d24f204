/** How `sync-kv` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { KV_ENV_PREFIX, repeatable } from "../command.ts";
import type { SyncKvFlags } from "./sync-kv-flags.ts";

const EXAMPLES = `
Directions:
  to-mongodb   bring the copy in MongoDB up to date (default)
  to-kv        write to KV what MongoDB has and KV has not, or has older: after an outage
  both         both of these

Examples:
  $ dualsync sync-kv                    the KV store and the MongoDB of the environment
  $ dualsync sync-kv --dry-run          show the plan and what it costs, write nothing
  $ dualsync sync-kv --direction to-kv  after an outage`;

export const syncKvCommand: Command = {
  name: "sync-kv",
  describe,
  async prepare(flags, environment) {
    const { prepareSyncKv } = await import("./sync-kv-flags.ts");
    return prepareSyncKv(flags as unknown as SyncKvFlags, environment);
  },
};

function describe(program: Program): Program {
  return program
    .command("sync-kv")
    .usage("[flags]")
    .summary("keep Vercel KV or Upstash Redis and its copy in MongoDB in step")
    .description(
      "Compares each key with its copy and with what both held when they last agreed, writes the side that is behind, and reads it back. What was changed on both sides is named and left.",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "one of the two: kv (its URL and token from the environment)")
    .option("--to <location>", "the other one: mongodb:// URI, env:NAME, or mongodb (MONGODB_URI)")
    .option(...KV_ENV_PREFIX)
    .option("--layout <layout>", "records (one collection) or collections (one for each key)")
    .optionsGroup("How:")
    .option("--direction <direction>", "to-mongodb (default), to-kv or both")
    .option("--on-conflict <rule>", "what was changed on both sides: kv, mongodb or park (default)")
    .option("--delete", "what is gone from one side is removed from the other (saved first)")
    .option("--missing <which>", "with to-kv: all also writes keys that were marked as gone from KV")
    .option("--allow-shrink", "even if more than half of the keys are gone from one side")
    .option("--into-existing <name>", "the database, where it holds what dualsync did not write")
    .option("--accept <key>", "do not count this known exception (repeatable)", repeatable)
    .optionsGroup("When:")
    .option("--max-commands <n>", "no more billed commands than this; the next run goes on")
    .option("--max-minutes <n>", "stop cleanly after so many minutes")
    .option("--wait-for-recovery", "if KV is down or limited, wait until it serves again")
    .option("--check", "only see whether both stores serve (2 billed commands)")
    .option("-n, --dry-run", "show the plan and what it costs, write nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", EXAMPLES);
}
