/** Brings some documents of both sides together: decides, saves, writes, reads back, and notes that both agree. */
import type { Agreement } from "../../connectors/powers/agreements.ts";
import type { Content } from "../../connectors/powers/contents.ts";
import type { GuardedWrite, PreparedWrite } from "../../connectors/powers/guarded-writes.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { JournalCollection, JournalEntry } from "../change/journal.ts";
import { entryOf } from "../change/write-and-verify.ts";
import { type Decision, decide } from "./decide.ts";
import type { SyncRun, WritableSide } from "./sync-run.ts";
import type { SyncTally } from "./sync-tally.ts";

/** What both sides hold of some documents, by `DocumentId.key`. */
export interface BothLooks {
  readonly primary: ReadonlyMap<string, Doc>;
  readonly copy: ReadonlyMap<string, Doc>;
  readonly agreed: ReadonlyMap<string, Agreement>;
}

/** A document changes under both hands so often at most; then it is named and left for the next run. */
const MOST_ROUNDS = 4;

interface Decided {
  readonly id: DocumentId;
  readonly decision: Decision;
  readonly agreed: Agreement | undefined;
  readonly primary: Known | undefined;
  readonly copy: Known | undefined;
}

interface Known {
  readonly doc: Doc;
  readonly content: Content;
}

/** Decisions that are not taken yet are given back. */
export type Defers = (decision: Decision, agreed: Agreement | undefined) => boolean;

/**
 * Settles the documents, which were looked at just now, but for those that `defers` holds back. What was changed by somebody else
 * meanwhile is looked at and decided again. Where it fails, nothing of it counts: whoever begins again decides on all of them.
 * @returns those that were held back
 */
export async function settle(
  run: SyncRun,
  ids: readonly DocumentId[],
  looked: BothLooks,
  defers: Defers = () => false,
): Promise<readonly DocumentId[]> {
  const deferred = new Set<DocumentId>();
  const tally = run.tally.part();
  let open = ids;
  let seen = looked;
  for (let round = 0; open.length > 0; round++) {
    run.signal.throwIfAborted();
    if (round > 0) seen = await lookAgain(run, open);
    const due: Decided[] = [];
    for (const id of open) {
      const decided = decideOn(run, tally, id, seen);
      if (decided === undefined) continue;
      if (defers(decided.decision, decided.agreed)) deferred.add(id);
      else due.push(decided);
    }
    const again = await act(run, tally, due);
    if (again.length > 0 && round + 1 === MOST_ROUNDS) {
      for (const id of again) {
        tally.counts.unsettled++;
        tally.lose(id, "it was changed by somebody else each time that it was to be written");
      }
      break;
    }
    open = again;
  }
  run.tally.merge(tally);
  for (const id of ids) if (!deferred.has(id)) run.settled.add(id.key);
  run.advance(ids.length - deferred.size);
  return [...deferred];
}

/** What both sides hold of them now. */
export async function lookAgain(run: SyncRun, ids: readonly DocumentId[]): Promise<BothLooks> {
  const { primary, copy, collection, signal } = run;
  const [there, copied, agreed] = await Promise.all([
    primary.lookup.find(collection, ids, signal),
    copy.lookup.find(collection, ids, signal),
    copy.agreements.find(ids, signal),
  ]);
  return { primary: there, copy: copied, agreed };
}

/** Undefined, and named, where one side's document cannot be read: then neither is touched. */
function decideOn(
  run: SyncRun,
  tally: SyncTally,
  id: DocumentId,
  { primary, copy, agreed }: BothLooks,
): Decided | undefined {
  const { contents } = run.primary;
  const sides: (Known | undefined)[] = [];
  for (const [doc, side] of [
    [primary.get(id.key), run.words.primary],
    [copy.get(id.key), run.words.copy],
  ] as const) {
    const content = doc && contents.of(doc);
    if (content !== undefined && "problem" in content) {
      tally.counts.rejected++;
      tally.lose(id, `in ${side} it ${content.problem}`);
      return undefined;
    }
    sides.push(doc && content && { doc, content });
  }
  const [ours, theirs] = sides;
  const same =
    ours !== undefined &&
    theirs !== undefined &&
    (ours.content.hash === theirs.content.hash || contents.saysSame(ours.doc, theirs.doc));
  const known = agreed.get(id.key);
  const both = { primary: ours?.content, copy: theirs?.content, same, agreed: known };
  return { id, decision: decide(both, run.rules, run.now()), agreed: known, primary: ours, copy: theirs };
}

/** @returns those that are no longer what they were */
async function act(run: SyncRun, tally: SyncTally, due: readonly Decided[]): Promise<readonly DocumentId[]> {
  const agreeing: Agreement[] = [];
  const forgotten: DocumentId[] = [];
  const writes: Record<"copy" | "primary", Decided[]> = { copy: [], primary: [] };
  for (const one of due) {
    const { action } = one.decision;
    if (action === "leave") tally.left(one.id, one.decision);
    else if (action === "forget") forgotten.push(one.id);
    else if (action === "agree") {
      tally.counts.agreed++;
      agreeing.push(agreementOf(one, one.primary?.content, one.copy?.content));
    } else if (action === "mark") {
      tally.counts.marked++;
      if (one.agreed !== undefined) agreeing.push({ ...one.agreed, missingSince: new Date(run.now()) });
    } else writes[action === "write copy" || action === "remove from copy" ? "copy" : "primary"].push(one);
  }
  const again: DocumentId[] = [];
  for (const side of ["copy", "primary"] as const) {
    const done = await writeSide(run, tally, side, writes[side]);
    again.push(...done.again);
    agreeing.push(...done.agreeing);
    forgotten.push(...done.forgotten);
  }
  if (agreeing.length > 0) await run.agreements.leave(agreeing, run.signal);
  if (forgotten.length > 0) await run.agreements.forget(forgotten, run.signal);
  return again;
}

interface WrittenSide {
  readonly agreeing: readonly Agreement[];
  readonly forgotten: readonly DocumentId[];
  readonly again: readonly DocumentId[];
}

const NOTHING_WRITTEN: WrittenSide = { agreeing: [], forgotten: [], again: [] };

async function writeSide(
  run: SyncRun,
  tally: SyncTally,
  name: "copy" | "primary",
  due: readonly Decided[],
): Promise<WrittenSide> {
  if (due.length === 0) return NOTHING_WRITTEN;
  const side = name === "copy" ? run.copySide : run.primarySide;
  if (side === undefined) throw new DualsyncError("bug", `The ${name} is not to be written.`);
  const { guarded } = side.session;
  const wishes = due.map((one) => ({ one, write: writeOf(run, name, one) }));
  const answers = await guarded.prepare(
    run.collection,
    wishes.map(({ write }) => write),
    run.signal,
  );
  const again: DocumentId[] = [];
  const prepared: { readonly one: Decided; readonly prepared: PreparedWrite }[] = [];
  for (const [index, answer] of answers.entries()) {
    const { one } = wishes[index] as (typeof wishes)[number];
    if ("stored" in answer) prepared.push({ one, prepared: answer });
    else if (answer.result === "conflict") again.push(one.id);
    else reject(tally, one.id, answer.reason);
  }
  const saved = await saveFirst(run, name, side, prepared);
  const outcomes = await guarded.apply(
    run.collection,
    prepared.map((each) => each.prepared),
    run.signal,
  );
  const written: Decided[] = [];
  const unmade: PreparedWrite[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const { one, prepared: write } = prepared[index] as (typeof prepared)[number];
    if (outcome.result === "written" && outcome.byOther !== true) {
      written.push(one);
      continue;
    }
    if (saved.has(write)) unmade.push(write);
    if (outcome.result === "rejected") reject(tally, one.id, outcome.reason);
    else again.push(one.id);
  }
  await takeOut(side, unmade);
  return await readBack(run, tally, name, written, again);
}

function writeOf(run: SyncRun, side: "copy" | "primary", one: Decided): GuardedWrite {
  const { id, decision } = one;
  const [to, from] = side === "copy" ? [one.copy, one.primary] : [one.primary, one.copy];
  const removes = decision.action === "remove from copy" || decision.action === "remove from primary";
  const wanted =
    removes || from === undefined ? undefined : run.primary.contents.withExpiry(from.doc, decision.expiresAt);
  return { id, expected: to?.doc, wanted };
}

function reject(tally: SyncTally, id: DocumentId, reason: string): void {
  tally.counts.rejected++;
  tally.lose(id, reason);
}

/**
 * Of the copy, what it is known to have from the primary needs no saving before the primary's next version takes its place.
 * @returns what was saved
 */
async function saveFirst(
  run: SyncRun,
  name: "copy" | "primary",
  { journal }: WritableSide,
  writes: readonly { readonly one: Decided; readonly prepared: PreparedWrite }[],
): Promise<ReadonlySet<PreparedWrite>> {
  const store = name === "primary" ? run.primary : {};
  const saved = new Set<PreparedWrite>();
  const due: SavedEntry[] = [];
  for (const { one, prepared } of writes) {
    const { stored, beside = [], write } = prepared;
    // What went to the primary by this program's hand may come back from there by an undo.
    const isKnown =
      !run.isAdopting &&
      one.agreed !== undefined &&
      one.agreed.replaced?.primary === undefined &&
      one.copy?.content.hash === one.agreed.copy;
    const isReplaced = write.wanted !== undefined && write.expected !== undefined;
    const isPlain = write.wanted !== undefined && beside.length === 0;
    if (name === "copy" && isPlain && (!isReplaced || isKnown)) continue;
    saved.add(prepared);
    for (const { collection, id, before, after } of [stored, ...beside])
      due.push({ collection, entry: entryOf({ id, wanted: after?.bytes }, before, store) });
  }
  await saveAll(journal, due);
  return saved;
}

/** What somebody else did instead is not for an undo to take back. Of a document that moves some of it may have been done. */
async function takeOut({ journal }: WritableSide, unmade: readonly PreparedWrite[]): Promise<void> {
  const whole = unmade.filter(({ beside = [] }) => beside.length === 0);
  const due = whole.map(({ stored: { collection, id } }) => ({ collection, entry: { id: id.element } }));
  await saveAll(journal, due);
}

interface SavedEntry {
  readonly collection: JournalCollection;
  readonly entry: JournalEntry;
}

/** Those of one collection together: each time costs a sync of the disk. */
async function saveAll(journal: WritableSide["journal"], due: readonly SavedEntry[]): Promise<void> {
  const byCollection = new Map<string, { collection: JournalCollection; entries: JournalEntry[] }>();
  for (const { collection, entry } of due) {
    const place = JSON.stringify([collection.name, collection.uid]);
    const known = byCollection.get(place) ?? { collection, entries: [] };
    byCollection.set(place, known);
    known.entries.push(entry);
  }
  for (const { collection, entries } of byCollection.values()) await journal.save(collection, entries);
}

async function readBack(
  run: SyncRun,
  tally: SyncTally,
  name: "copy" | "primary",
  written: readonly Decided[],
  conflicts: readonly DocumentId[],
): Promise<WrittenSide> {
  const store = run[name];
  const ids = written.map(({ id }) => id);
  const there =
    ids.length === 0 ? new Map<string, Doc>() : await store.lookup.find(run.collection, ids, run.signal);
  const agreeing: Agreement[] = [];
  const forgotten: DocumentId[] = [];
  const again = [...conflicts];
  for (const one of written) {
    const doc = there.get(one.id.key);
    if (one.decision.action === "remove from copy" || one.decision.action === "remove from primary") {
      if (doc !== undefined) {
        again.push(one.id);
        continue;
      }
      if (name === "copy") tally.counts.copyRemoved++;
      else tally.counts.primaryRemoved++;
      forgotten.push(one.id);
      continue;
    }
    const from = name === "copy" ? one.primary : one.copy;
    const content = doc && run.primary.contents.of(doc);
    if (content === undefined || "problem" in content || content.hash !== from?.content.hash) {
      again.push(one.id);
      continue;
    }
    if (name === "copy") tally.counts.copyWritten++;
    else tally.counts.primaryWritten++;
    for (const loss of from.content.losses) tally.lose(one.id, loss);
    const before = one[name]?.content.hash;
    const [ours, theirs] = name === "copy" ? [from.content, content] : [content, from.content];
    agreeing.push({
      ...agreementOf(one, ours, theirs),
      expiresAt: content.expiresAt,
      ...(before === undefined || before === content.hash ? {} : { replaced: { [name]: before } }),
    });
  }
  return { agreeing, forgotten, again };
}

function agreementOf(one: Decided, primary: Content | undefined, copy: Content | undefined): Agreement {
  if (primary === undefined || copy === undefined)
    throw new DualsyncError("bug", "There is no agreement on what one side does not have.");
  const { agreed } = one;
  const isSame = agreed?.primary === primary.hash && agreed.copy === copy.hash;
  return {
    ...{ id: one.id, primary: primary.hash, copy: copy.hash, expiresAt: primary.expiresAt },
    ...(isSame && agreed.replaced !== undefined ? { replaced: agreed.replaced } : {}),
  };
}
