import { readdir } from "node:fs/promises";
import { onDisk } from "../../files/disk-error.ts";
import { DualsyncError } from "../../model/errors.ts";
import { FOLDER, StateFolder } from "../job/state-folder.ts";
import { journalName, keptUntil, runOfName, type UndoHead, type UndoMark } from "./undo-format.ts";
import { UndoReader } from "./undo-reader.ts";

/** A journal of this folder. */
export interface ListedJournal {
  readonly run: string;
  readonly bytes: number;
  readonly keptUntil: Date;
  /** What it holds; an error where it cannot be read. */
  readonly content: JournalContent | DualsyncError;
}

export interface JournalContent {
  readonly head: UndoHead;
  /** Documents saved, and documents that the run added beside them. */
  readonly documents: number;
  readonly added: number;
  readonly state: JournalState;
}

/** What the marks of a journal come to. */
export interface JournalState {
  /** The run finished. */
  readonly complete: boolean;
  /** Undoing has begun, was gone through, or is done: what it came to last. */
  readonly undo?: Exclude<UndoMark, "complete">;
}

/** All journals, the newest first; each is read and checked as a whole. */
export async function listJournals(cwd: string): Promise<ListedJournal[]> {
  const found: ListedJournal[] = [];
  for (const run of await runsOf(cwd)) {
    const reader = new UndoReader(cwd, run);
    const content = await contentOf(reader);
    if (content === undefined) continue;
    const since = content instanceof DualsyncError ? reader.modified : content.head.started;
    found.push({ run, bytes: reader.bytes, keptUntil: keptUntil(since), content });
  }
  return found.sort((a, b) => b.keptUntil.getTime() - a.keptUntil.getTime());
}

/** Undefined when it holds nothing: the run was killed before it had changed anything. */
async function contentOf(reader: UndoReader): Promise<JournalContent | DualsyncError | undefined> {
  try {
    const head = await reader.head();
    if (head === undefined) return undefined;
    let [documents, added] = [0, 0];
    const marks: UndoMark[] = [];
    for await (const { entries } of reader.entries((mark) => marks.push(mark))) {
      const saved = entries.filter(({ before }) => before !== undefined).length;
      documents += saved;
      added += entries.length - saved;
    }
    return { head, documents, added, state: stateOf(marks) };
  } catch (error) {
    if (error instanceof DualsyncError) return error;
    throw error;
  }
}

/** `marks`: in the order in which they were made. */
export function stateOf(marks: readonly UndoMark[]): JournalState {
  const complete = marks.includes("complete");
  const undo = marks.findLast((mark) => mark !== "complete");
  return undo === undefined ? { complete } : { complete, undo };
}

/** Removes the journals that have been kept long enough, except that of this run. */
export async function sweepJournals(cwd: string, except: string): Promise<void> {
  const folder = new StateFolder(cwd);
  for (const run of await runsOf(cwd)) {
    if (run === except) continue;
    const reader = new UndoReader(cwd, run);
    const head = await reader.head().catch(() => undefined);
    // What could not even be opened is none of dualsync's.
    if (reader.modified.getTime() === 0) continue;
    // A clock that was wrong for a while must not cost a journal: both times must be long ago.
    const since = new Date(Math.max(head?.started.getTime() ?? 0, reader.modified.getTime()));
    if (keptUntil(since) < new Date()) await folder.remove(journalName(run));
  }
}

/** The runs of which this folder has a journal. */
export async function runsOf(cwd: string): Promise<string[]> {
  const folder = new StateFolder(cwd);
  return await onDisk(FOLDER, "read", async () => {
    if (!(await folder.exists())) return [];
    return (await readdir(folder.path)).map(runOfName).filter((run) => run !== undefined);
  });
}
