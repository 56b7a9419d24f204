/** How `undo` is given on the command line: flags, help, examples. What the flags mean is loaded when they are used. */
import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { KV_ENV_PREFIX } from "../command.ts";
import type { UndoFlags } from "./undo-flags.ts";

const EXAMPLES = `
Examples:
  $ dualsync undo --list                which runs can be undone
  $ dualsync undo 3f9c01ab --dry-run    show what would be put back
  $ dualsync undo 3f9c01ab              show the plan, ask, put back, read back`;

export const undoCommand: Command = {
  name: "undo",
  describe,
  async prepare(flags, environment, args) {
    const { prepareUndo } = await import("./undo-flags.ts");
    return await prepareUndo(flags as UndoFlags, environment, args);
  },
};

function describe(program: Program): Program {
  return program
    .command("undo")
    .usage("RUN [flags]")
    .argument("[run]", "id of the run, as printed at its end and by --list")
    .summary("put back what a run replaced or removed")
    .description(
      "Puts back the documents that a run replaced or removed, and removes those that it added beside them. What changed since is left alone and named.",
    )
    .optionsGroup("What:")
    .option("--list", "list the runs that can be undone, and until when")
    .option("--to <location>", "the run's target, if the environment does not name it")
    .option(...KV_ENV_PREFIX)
    .optionsGroup("How:")
    .option("-n, --dry-run", "show what would be put back, write nothing")
    .option("-y, --yes", "do not ask before writing")
    .addHelpText("after", EXAMPLES);
}
