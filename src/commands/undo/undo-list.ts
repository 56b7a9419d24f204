/** Which runs can be taken back. */
import { DualsyncError } from "../../model/errors.ts";
import type { Item } from "../../model/item.ts";
import { grouped } from "../../reporting/text/format.ts";
import { moment } from "../../reporting/text/time-window.ts";
import { type JournalContent, type ListedJournal, listJournals } from "../../state/undo/undo-list.ts";
import type { RunContext } from "../command.ts";

/** Each journal is read and checked as a whole; a damaged one is named. @returns the exit status, always 0 */
export async function listUndo(cwd: string, { reporter }: RunContext): Promise<number> {
  const started = new Date();
  const journals = await listJournals(cwd);
  const items = journals.map(itemOf);
  const count = journals.filter(({ content }) => !(content instanceof DualsyncError)).length;
  const runs = count === 1 ? "1 run has" : `${count} runs have`;
  reporter.changed({
    command: "undo --list",
    target: "",
    started,
    ended: new Date(),
    collections: [],
    items,
    itemCount: items.length,
    exitCode: 0,
    verdict:
      journals.length === 0
        ? "No run started in this folder has replaced or removed anything."
        : `${runs} a journal in .dualsync; dualsync undo RUN undoes it.`,
  });
  return 0;
}

function itemOf({ run, bytes, keptUntil, content }: ListedJournal): Item {
  const kept = `${grouped(bytes)} bytes, kept until ${day(keptUntil)}`;
  const reason =
    content instanceof DualsyncError ? `${content.message} ${kept}` : `${about(content)}; ${kept}`;
  return { key: `run ${run}`, reason, accepted: true };
}

function about({ head, documents, added, state }: JournalContent): string {
  const { complete, undo } = state;
  const end = complete ? "" : ", interrupted or still running";
  const undone = undo === undefined ? "" : undo === "undone" ? ", undone" : ", partly undone";
  const time = moment(head.started);
  return `${head.command} of ${time} UTC from ${head.source} to ${head.target}${end}${undone}: ${grouped(documents)} saved, ${grouped(added)} added`;
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}
