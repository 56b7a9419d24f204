import { backfillCommand } from "./backfill-command.ts";
import type { Command } from "./command.ts";
import { diffCommand } from "./diff-command.ts";
import { duplicateCommand } from "./duplicate-command.ts";
import { repairCommand } from "./repair-command.ts";
import { sqlCommand } from "./sql-command.ts";
import { undoCommand } from "./undo-command.ts";

/** Every verb of the program, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  duplicateCommand,
  backfillCommand,
  diffCommand,
  repairCommand,
  undoCommand,
  sqlCommand,
];
