/** How `repair` is spelt. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import type { RepairFlags } from "./repair-flags.ts";

const EXAMPLES = `
Examples:
  $ dualsync diff --plan repair.plan      find what differs and write it down
  $ dualsync repair repair.plan --dry-run look at what would be done
  $ dualsync repair repair.plan           show it, ask, save what is there, mend it`;

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
    .argument("<plan>", "a file that dualsync diff --plan has written")
    .summary("mend what a plan of diff names; undo takes it back")
    .description(
      "Mends a copy by a plan of dualsync diff: each document is read again, what changed since is left alone, and what is replaced or removed is saved first (dualsync undo).",
    )
    .optionsGroup("Where:")
    .option("--from <location>", "the store that the plan was made from")
    .option("--to <location>", "its copy, which is mended")
    .optionsGroup("How:")
    .option("--delete", "also remove what only the copy has")
    .option("--allow-shrink", "with --delete: even if more than half would go")
    .option("-n, --dry-run", "show what would be done, write nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", EXAMPLES);
}
