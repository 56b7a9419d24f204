import { Batch, type Doc, type DocumentId } from "../../../model/document.ts";
import type { OnStubs } from "../../powers/related-writes.ts";
import { add, NOTHING, type WriteOutcome } from "../../write-outcome.ts";
import { refusalCode } from "../api/fault.ts";
import { ORPHAN } from "./refusal.ts";
import type { Writer } from "./write.ts";

const KEPT = "its row was kept without that reference, because other rows refer to it";

type Documents = Map<string, readonly Doc[]>;

/**
 * As `RelatedWrites.writeTogether`. A circle is broken by rows whose references are null where they may be: they are there for as long
 * as it takes to write the rows that refer to them, and are then made whole, or removed again when that is refused.
 */
export async function writeTogether(
  writer: Writer,
  documents: ReadonlyMap<string, Batch>,
  signal: AbortSignal,
  onStubs: OnStubs = () => Promise.resolve(),
): Promise<ReadonlyMap<string, WriteOutcome>> {
  const outcomes = new Map<string, WriteOutcome>([...documents.keys()].map((name) => [name, NOTHING]));
  const waiting: Documents = new Map([...documents].map(([name, batch]) => [name, batch.docs()]));
  const stubs: Stubs = new Map();
  const work = { writer, stubs, signal };
  await settle(work, waiting, outcomes);
  if (count(waiting) === 0) return outcomes;
  for (const [name, docs] of waiting) stubs.set(name, await writer.stub(name, docs, onStubs, signal));
  await settle(work, waiting, outcomes);
  for (const [name, docs] of waiting) {
    const last = await write(work, name, docs);
    const outcome = add(outcomes.get(name) ?? NOTHING, last);
    const refused = new Set(outcome.rejected.map(({ id }) => id.key));
    const left = (stubs.get(name) ?? []).filter(({ key }) => refused.has(key));
    const kept = await takeOut(writer, name, left, signal);
    const rejected = outcome.rejected.map((one) =>
      kept.has(one.id.key) ? { ...one, reason: `${one.reason}; ${KEPT}` } : one,
    );
    outcomes.set(name, { ...outcome, rejected });
  }
  return outcomes;
}

/** @returns the keys of those that must stay */
async function takeOut(
  writer: Writer,
  name: string,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const id of ids) {
    try {
      await writer.remove(name, [id], signal);
    } catch (error) {
      if (refusalCode(error) !== ORPHAN) throw error;
      kept.add(id.key);
    }
  }
  return kept;
}

type Stubs = Map<string, readonly DocumentId[]>;

interface Work {
  readonly writer: Writer;
  /** Rows that were added without their references. */
  readonly stubs: Stubs;
  readonly signal: AbortSignal;
}

/** Rows that were added here are made whole; what else stands in a document's place has appeared meanwhile, and stays. */
async function write(
  { writer, stubs, signal }: Work,
  name: string,
  docs: readonly Doc[],
): Promise<WriteOutcome> {
  const own = new Set(stubs.get(name)?.map(({ key }) => key));
  const [added, others] = [true, false].map((is) => docs.filter(({ id }) => own.has(id.key) === is));
  const whole = await writer.write(name, Batch.of(added ?? []), "insert", signal);
  return add(whole, await writer.write(name, Batch.of(others ?? []), "create", signal));
}

/** Writes what waits again and again, for as long as that gets something through; keeps in `waiting` what still waits. */
async function settle(work: Work, waiting: Documents, outcomes: Map<string, WriteOutcome>): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; count(waiting) < before && count(waiting) > 0; ) {
    before = count(waiting);
    for (const [name, docs] of waiting) {
      const outcome = await write(work, name, docs);
      const still = new Set(outcome.rejected.filter(({ waits }) => waits).map(({ id }) => id.key));
      const rejected = outcome.rejected.filter(({ waits }) => waits !== true);
      outcomes.set(name, add(outcomes.get(name) ?? NOTHING, { ...outcome, rejected }));
      waiting.set(
        name,
        docs.filter(({ id }) => still.has(id.key)),
      );
    }
  }
}

function count(documents: Documents): number {
  return [...documents.values()].reduce((sum, docs) => sum + docs.length, 0);
}
