/** How `repair` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import type { RepairFlags } from "./repair-flags.ts";

const EXAMPLES = `
Examples:
  $ dualsync diff --plan repair.plan      find what differs and write a plan
  $ dualsync repair repair.plan --dry-run show what would be done
  $ dualsync repair repair.plan           show the plan, ask, save, repair`;

export const repairCommand: Command = {
  name: "repair",
  describe,
  async prepare(flags, environment, args) {
    const { prepareRepair } = await import("./repair-flags.ts");
    return prepareRepair(args, flags as RepairFlags, environment);
  },
};

function describe(program: Program): Program {
  return program
    .command("repair")
    .usage("<plan> [flags]")
    .argument("<plan>", "a file written by dualsync diff --plan")
    .summary("repair a copy from a plan of diff; undo reverts it")
    .description(
      "Repairs a copy from a plan of dualsync diff: reads each document again, leaves alone what changed since, and saves what it replaces or removes (dualsync undo).",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "the source of the plan")
    .option("--to <location>", "its copy, which is repaired")
    .optionsGroup("How:")
    .option("--delete", "also remove what only the copy has")
    .option("--allow-shrink", "with --delete: even if more than half would be removed")
    .option("-n, --dry-run", "show what would be done, write nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", EXAMPLES);
}
