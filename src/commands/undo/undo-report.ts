/** What undoing is about to do, and what it did, in words. */

import type { StoreWords } from "../../connectors/words.ts";
import type { Undone } from "../../core/undo/undo.ts";
import type { Survey } from "../../core/undo/undo-survey.ts";
import { exitCode } from "../../model/errors.ts";
import type { ChangePlan, ChangeReport } from "../../model/reporter.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import type { UndoHead } from "../../state/undo/undo-format.ts";
import type { JournalState } from "../../state/undo/undo-list.ts";

/** What a journal holds. */
export interface Surveyed {
  readonly survey: Survey;
  readonly state: JournalState;
  /** Its last record is not whole. */
  readonly torn: boolean;
}

interface UndoPlanOptions {
  readonly dryRun: boolean;
  readonly words: StoreWords;
}

export function undoPlan(
  { survey, state, torn }: Surveyed,
  head: UndoHead,
  { dryRun, words }: UndoPlanOptions,
): ChangePlan {
  const collections = survey.collections.map(({ name, remove, replace, insert }) => ({
    collection: name,
    remove,
    replace,
    insert,
  }));
  const notes = [
    `Undoes what run ${head.run} (${head.command} from ${head.source}, ${head.started.toISOString()}) replaced, removed or added.`,
    ...(state.complete ? [] : ["That run did not finish: what it did until then is undone."]),
    ...(torn
      ? ["The last record of its journal is incomplete; the documents it was meant for were never changed."]
      : []),
    ...(state.undo === undefined ? [] : ["It was already partly undone."]),
    "What changed since is left alone and named.",
    `Only documents are put back: ${words.notUndone}.`,
  ];
  return { command: "undo", target: head.target, collections, notes, dryRun };
}

interface About {
  readonly head: UndoHead;
  readonly started: Date;
  readonly dryRun: boolean;
}

export function undoReport({ collections, left }: Undone, { head, started, dryRun }: About): ChangeReport {
  const sum = (field: "changed" | "unchanged" | "conflicts"): number =>
    collections.reduce((total, counts) => total + counts[field], 0);
  const done = dryRun
    ? `Dry run: nothing was written; ${count(sum("changed"), "document")} would be put back or removed`
    : `${count(sum("changed"), "document")} put back or removed, and read back`;
  const same = `${grouped(sum("unchanged"))} already as before the run`;
  const conflicts = left.total;
  const rest =
    conflicts === 0
      ? dryRun
        ? ""
        : ` The next ${head.command} of the same pair makes the same changes again.`
      : ` ${count(conflicts, "document")} changed since, or could not be changed, and ${dryRun ? "would be" : conflicts === 1 ? "was" : "were"} left alone: see the list.`;
  return {
    ...heading(head, started),
    collections: collections.map((counts) => ({ ...counts, skipped: 0 })),
    items: left.items,
    itemCount: left.total,
    exitCode: exitCode(conflicts === 0 ? "done" : "incomplete"),
    verdict: `${done}; ${same}.${rest}`,
  };
}

/** The report on a run that was undone before. */
export function nothingLeft(head: UndoHead, started: Date): ChangeReport {
  return {
    ...heading(head, started),
    collections: [],
    items: [],
    itemCount: 0,
    exitCode: 0,
    verdict: `Run ${head.run} was already undone: nothing was contacted or changed.`,
  };
}

function heading({ target }: UndoHead, started: Date) {
  return { command: "undo", target, started, ended: new Date() };
}
