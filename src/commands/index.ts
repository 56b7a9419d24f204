import type { Command } from "./command.ts";
import { backfillCommand } from "./copy/backfill-command.ts";
import { duplicateCommand } from "./copy/duplicate-command.ts";
import { diffCommand } from "./diff/diff-command.ts";
import { repairCommand } from "./repair/repair-command.ts";
import { restoreCommand } from "./restore/restore-command.ts";
import { sqlCommand } from "./sql/sql-command.ts";
import { syncKvCommand } from "./sync-kv/sync-kv-command.ts";
import { undoCommand } from "./undo/undo-command.ts";

/** Every verb of the program, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  duplicateCommand,
  backfillCommand,
  syncKvCommand,
  diffCommand,
  repairCommand,
  restoreCommand,
  undoCommand,
  sqlCommand,
];
