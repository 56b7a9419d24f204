import type { UndoHead } from "../../state/undo/undo-format.ts";
import { UndoJournal } from "../../state/undo/undo-journal.ts";
import type { RunContext } from "../command.ts";
import { savedSentence } from "./backup-notice.ts";

/** Gives the work a journal, closed whatever happens; a run that fails says how what it did so far is taken back. */
export async function journaled<T>(
  cwd: string,
  head: UndoHead,
  { reporter }: RunContext,
  work: (journal: UndoJournal) => Promise<T>,
): Promise<T> {
  const journal = new UndoJournal(cwd, head);
  try {
    return await work(journal);
  } catch (error) {
    for (const sentence of savedSentence(journal)) reporter.note(sentence);
    throw error;
  } finally {
    await journal.close();
  }
}
