/** Puts back what a run has overwritten or removed. */
import type { Location } from "../../connectors/connector.ts";
import type { Lease, Store, WriteSession } from "../../connectors/contract.ts";
import { type History, RESTORE, type RunRecord } from "../../connectors/powers/run-history.ts";
import { openStore } from "../../connectors/registry.ts";
import { AlteredFields } from "../../core/change/altered-fields.ts";
import { afterUndo, earlierRestores } from "../../core/restore/open-restores.ts";
import { type Undone, undo } from "../../core/undo/undo.ts";
import { type Survey, survey } from "../../core/undo/undo-survey.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Meter, Reporter } from "../../model/reporter.ts";
import type { UndoHead, UndoMark } from "../../state/undo/undo-format.ts";
import { markJournal } from "../../state/undo/undo-journal.ts";
import { type JournalState, stateOf } from "../../state/undo/undo-list.ts";
import { UndoReader } from "../../state/undo/undo-reader.ts";
import type { RunContext } from "../command.ts";
import { assertConfirmed } from "../run/confirm.ts";
import { withSession } from "../run/session.ts";
import { nothingLeft, type Surveyed, undoPlan, undoReport } from "./undo-report.ts";

export interface UndoOptions {
  /** The working directory, in whose state folder the journal is. */
  readonly cwd: string;
  readonly head: UndoHead;
  readonly to: Location;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly retries?: number | undefined;
}

/** Shows what it will do, asks, puts back, reads back. @returns the exit status */
export async function undoRun(options: UndoOptions, context: RunContext): Promise<number> {
  const started = new Date();
  const { head, dryRun } = options;
  // Everything is read, and checked, before anything is contacted.
  const journal = await readJournal(options);
  if (journal.state.undo === "undone") return finish(context.reporter, nothingLeft(head, started));
  const { signal } = context;
  const retries = options.retries === undefined ? {} : { retries: options.retries };
  const target = await openStore(options.to, { role: "target", signal, ...retries });
  try {
    context.reporter.changePlan(undoPlan(journal, head, { dryRun, words: target.words }));
    const work = { target, session: undefined, journal, head, started, dryRun };
    if (dryRun) return await putBack(work, context, signal);
    await assertAllowed(options, context);
    return await withSession(target, "undo", head.source, context, async (writing) => {
      const { session } = writing;
      const record = await disown(target, session, journal, { head, signal: writing.signal });
      const mark = await marker(options, journal, context.reporter);
      await mark("undoing");
      const unmark = async (): Promise<void> => {
        if (head.command === RESTORE) await session.record({ ...record, complete: true });
      };
      return await putBack({ ...work, session, mark, unmark }, context, writing.signal);
    });
  } finally {
    await target.close();
  }
}

/** A journal that was looked through. */
interface SurveyedJournal extends Surveyed {
  readonly reader: UndoReader;
  /** What the target's own rules altered while the run wrote. */
  readonly altered: AlteredFields;
}

async function readJournal({ cwd, head }: UndoOptions): Promise<SurveyedJournal> {
  const reader = new UndoReader(cwd, head.run);
  const marks: UndoMark[] = [];
  const altered = new AlteredFields();
  const entries = () =>
    reader.entries(
      (mark) => marks.push(mark),
      ({ collection, fields }) => altered.add(collection.name, fields),
    );
  const found: Survey = await survey({ path: reader.path, entries });
  const state: JournalState = stateOf(marks);
  return { reader, survey: found, state, torn: reader.torn, altered };
}

interface UndoTask {
  readonly target: Store;
  /** Without one it is only looked at. */
  readonly session: WriteSession | undefined;
  readonly journal: SurveyedJournal;
  readonly head: UndoHead;
  readonly started: Date;
  readonly dryRun: boolean;
  readonly mark?: ((mark: UndoMark) => Promise<void>) | undefined;
  /** From then on the target is not half-way. */
  readonly unmark?: (() => Promise<void>) | undefined;
}

async function putBack(work: UndoTask, { reporter }: RunContext, signal: AbortSignal): Promise<number> {
  const { target, session, journal, head, started, dryRun } = work;
  const { collections: there } = await target.list(signal);
  const progress = new Meters(reporter, journal.survey);
  let undone: Undone;
  try {
    undone = await undo({
      target,
      session,
      there,
      signal,
      survey: journal.survey,
      journal: journal.reader,
      altered: journal.altered,
      brokenOff: isBrokenOff(journal.state),
      onProgress: (collection, documents) => progress.advance(collection, documents),
    });
  } finally {
    progress.end();
  }
  // A run whose journal says that it is undone is not undone again: by then the target must bear no mark of it.
  await work.unmark?.();
  if (undone.left.total === 0) await work.mark?.("undone");
  else if (!undone.isRefused) await work.mark?.("left");
  return finish(reporter, undoReport(undone, { head, started, dryRun }));
}

/** Once all of it was gone through, what is not there was removed by somebody else. */
function isBrokenOff({ complete, undo }: JournalState): boolean {
  return undo === undefined ? !complete : undo === "undoing";
}

function finish(reporter: Reporter, report: ReturnType<typeof undoReport>): number {
  reporter.changed(report);
  return report.exitCode;
}

async function assertAllowed({ yes, head }: UndoOptions, context: RunContext): Promise<void> {
  if (yes) return;
  await assertConfirmed(context, {
    question: `Undo run ${head.run} on ${head.target}?`,
    nobody: "undo changes documents of the target: confirmation needed, but there is no terminal.",
    hint: "Look at the changes with --dry-run; add --yes to confirm.",
  });
}

/** Until it is taken back as a whole, whatever it wrote may be half-way. */
function restoreOf(
  { source: from, run, started: since }: UndoHead,
  { nonce: token }: Lease,
  { collections }: Survey,
  history: History,
): RunRecord {
  return {
    command: RESTORE,
    from,
    run,
    token,
    since,
    complete: false,
    verified: false,
    documents: new Map(),
    scope: { mode: "exact", collections: new Map(collections.map(({ name }) => [name, ""])) },
    earlier: afterUndo(earlierRestores(history, run), run),
  };
}

/**
 * From now on the target is no proved copy: an interrupted run must not go on as if it were. Where a restore is taken back, it is
 * half-way until that is done.
 */
async function disown(
  target: Store,
  lease: Lease,
  { survey }: SurveyedJournal,
  { head, signal }: { readonly head: UndoHead; readonly signal: AbortSignal },
): Promise<RunRecord> {
  const history: History = (await target.history?.read(signal)) ?? { collections: new Map() };
  const { command, source: from, run, started: since } = head;
  const known = history.lastRun ?? { command, from, run, since, documents: new Map<string, number>() };
  const record =
    command === RESTORE
      ? restoreOf(head, lease, survey, history)
      : { ...known, token: lease.nonce, complete: false, verified: false };
  await lease.record(record);
  return record;
}

/** Notes in the journal how far its undoing is. That it cannot be noted (a full disk) does not stop it. */
async function marker(
  { cwd, head }: UndoOptions,
  { reader }: SurveyedJournal,
  reporter: Reporter,
): Promise<(mark: UndoMark) => Promise<void>> {
  let end = reader.end;
  return async (mark) => {
    try {
      end = await markJournal(cwd, head.run, end, mark);
    } catch (error) {
      if (!(error instanceof DualsyncError)) throw error;
      reporter.warn(`The journal could not be marked as undone: ${error.message}`);
    }
  };
}

/** The progress of each collection, begun with its first document. */
class Meters {
  readonly #reporter: Reporter;
  readonly #survey: Survey;
  readonly #meters = new Map<string, Meter>();

  constructor(reporter: Reporter, found: Survey) {
    this.#reporter = reporter;
    this.#survey = found;
  }

  advance(collection: string, documents: number): void {
    const meter = this.#meters.get(collection) ?? this.#begin(collection);
    meter.advance(documents, 0);
  }

  end(): void {
    for (const meter of this.#meters.values()) meter.end();
  }

  #begin(collection: string): Meter {
    const {
      remove = 0,
      replace = 0,
      insert = 0,
    } = this.#survey.collections.find(({ name }) => name === collection) ?? {};
    const meter = this.#reporter.meter(collection, remove + replace + insert);
    meter.phase("repairing");
    this.#meters.set(collection, meter);
    return meter;
  }
}
