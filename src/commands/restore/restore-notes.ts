/** What the plan of a restore says besides its numbers. */
import { statfs } from "node:fs/promises";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { type KeptCopy, stateOf } from "../../connectors/powers/kept-copies.ts";
import type { RestoreScope } from "../../connectors/powers/run-history.ts";
import { doubtNotes, type PlannedJob } from "../../core/plan/plan.ts";
import type { StoreSnapshot } from "../../core/plan/snapshot.ts";
import { completes, openRestores } from "../../core/restore/open-restores.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { RestorePreview } from "../../model/reporter.ts";
import { bytes as sizeText } from "../../model/size-text.ts";
import { count, duration, grouped } from "../../reporting/text/format.ts";
import { minute } from "../../reporting/text/time-window.ts";
import { journalName, KEPT_DAYS } from "../../state/undo/undo-format.ts";
import type { RunContext } from "../command.ts";
import type { PrimaryAndCopy } from "../run/copy-layout.ts";
import type { RestoreOptions } from "./restore-options.ts";

export interface RestoreFindings {
  readonly stores: PrimaryAndCopy;
  readonly jobs: readonly PlannedJob[];
  readonly previews: ReadonlyMap<string, RestorePreview>;
  readonly source: StoreSnapshot;
  readonly target: StoreSnapshot;
  readonly savedBytes: number;
  /** Bytes of documents that were read to compare, and the milliseconds that this took. */
  readonly compared: { readonly bytes: number; readonly milliseconds: number };
  readonly scope: RestoreScope;
  /** Those that the source keeps: one of them is restored. */
  readonly kept: readonly KeptCopy[];
  readonly asks: string;
  /** See `PlannedRestore.asks`. */
  readonly isOther: boolean;
}

/** Bytes of a journal for a document that is added: its id, a hash, and what belongs to an entry. */
const ENTRY_BYTES = 80;

/** Sentences for the plan. @throws DualsyncError `local` where there is no room for what must be saved first */
export async function restoreNotes(
  found: RestoreFindings,
  options: RestoreOptions,
  context: RunContext,
): Promise<readonly string[]> {
  const { stores, source, target, jobs } = found;
  const [from, to] = await Promise.all([
    stores.source.identity(context.signal),
    stores.target.identity(context.signal),
  ]);
  return [
    `The copy is ${from.product}, ${from.label}${filledNote(source, target)}. The target is ${to.product}, ${to.label}, called ${found.asks} here.`,
    ...(found.isOther ? [otherNote(found)] : []),
    ...(await archiveNotes(found, context.signal)),
    ...doubtNotes(jobs),
    ...(await unpreparedNote(stores.target, context.signal)),
    ...copyNote(target),
    ...interruptedNotes(found),
    ...modeNotes(found, options),
    ...outsideNotes(found),
    ...(await expiryNotes(found, context.signal)),
    ...(await metadataNotes(found, options, context.signal)),
    ...((await stores.target.cautions?.before(
      jobs.map(({ to }) => to.name),
      context.signal,
    )) ?? []),
    ...(await journalNotes(found, options, context)),
    costNote(found),
    ...sequenceNotes(jobs, stores.target.words.sequences),
    `What undo leaves: ${stores.target.words.notUndone}.`,
    "While it runs the target is marked as being restored: no dualsync command copies from it. Stop what else writes to it.",
  ];
}

function filledNote({ history: { lastRun } }: StoreSnapshot, target: StoreSnapshot): string {
  if (lastRun === undefined) return " (no dualsync run is known to have filled it)";
  const verified = lastRun.verified ? "verified" : "not verified";
  const from = lastRun.from === target.label ? "this target" : lastRun.from;
  return ` (filled from ${from} by ${lastRun.command} at ${minute(lastRun.since)} UTC, ${lastRun.complete ? verified : "not finished"})`;
}

/** Copies that a note lists. */
const LISTED = 20;

/** Which of several copies is taken, and what is known of it. */
async function archiveNotes(
  { stores, source, kept }: RestoreFindings,
  signal: AbortSignal,
): Promise<string[]> {
  const { lastRun } = source.history;
  const each = kept.slice(-LISTED).map((one) => {
    const taken = one.run === lastRun?.run ? ", taken here" : "";
    return `${minute(one.since)} UTC of ${one.source} (${stateOf(one)}${taken})`;
  });
  const more = kept.length > each.length ? `, the last ${each.length}` : "";
  const proof = await stores.source.integrity?.proof(signal);
  return [
    ...(kept.length === 0
      ? []
      : [
          `${count(kept.length, "archive")} there${more}: ${each.join("; ")}. --at TIME takes the last one of the same source that was begun by then.`,
        ]),
    ...(proof === undefined ? [] : [proof]),
  ];
}

async function unpreparedNote({ cautions }: Reader, signal: AbortSignal): Promise<string[]> {
  const lacking = await cautions?.unprepared(signal);
  return lacking === undefined ? [] : [lacking];
}

function otherNote({ stores, source: { history }, target: { label } }: RestoreFindings): string {
  return `This copy was filled from ${stores.copy?.from ?? history.lastRun?.from}, and nothing that was copied is in ${label}, which holds other documents: is it the right target, and the right copy?`;
}

/** Somebody's copy is seldom what is to be restored. */
function copyNote({ history: { lastRun } }: StoreSnapshot): string[] {
  if (lastRun === undefined) return [];
  return [
    `The target is itself a copy: ${lastRun.command} filled it from ${lastRun.from} at ${minute(lastRun.since)} UTC. Is it the right target?`,
  ];
}

function interruptedNotes({ source, target, scope }: RestoreFindings): string[] {
  return openRestores(target.history).map((open) => {
    const begun = `The restore ${open.run} of ${minute(open.since)} UTC did not finish.`;
    if (completes({ from: source.label, scope }, open))
      return `${begun} This one completes it; to take both back, undo this one first and then dualsync undo ${open.run}.`;
    if (open.from !== source.label)
      return `${begun} It was from another copy (${open.from}): this one does not complete it. Run that one again, or dualsync undo ${open.run}.`;
    return `${begun} This one does not complete it, as it does less${open.scope === undefined ? "" : ` (that one: --mode ${open.scope.mode})`}: run that one again, or dualsync undo ${open.run}.`;
  });
}

function are(documents: number): string {
  return documents === 1 ? "is" : "are";
}

function thatDiffer(documents: number): string {
  return `${count(documents, "document")} that ${documents === 1 ? "differs" : "differ"}`;
}

function modeNotes({ previews }: RestoreFindings, { mode, includeNewer }: RestoreOptions): string[] {
  const sum = (of: (one: RestorePreview) => number): number =>
    [...previews.values()].reduce((total, one) => total + of(one), 0);
  const [missing, different, overwritten] = [
    sum((one) => one.missing),
    sum((one) => one.different),
    sum((one) => one.overwritten),
  ];
  const added = `${count(missing, "document")} that the target lacks ${are(missing)} added`;
  const replaced = `${thatDiffer(overwritten)} ${are(overwritten)} replaced by the copy's`;
  const newer = sum((one) => one.newer);
  // Of some that stay and some that go it is not known which are newer.
  const isEachReplaced = overwritten === different;
  const warned = newer === 0 || !isEachReplaced ? "" : `, ${grouped(newer)} of them newer in the target`;
  const notes = [`--mode ${mode}: ${added}${overwritten === 0 ? "" : `; ${replaced}${warned}`}.`];
  if (newer > 0 && !isEachReplaced)
    notes.push(`Of those that differ ${grouped(newer)} ${are(newer)} newer in the target.`);
  const conflicts = sum((one) => one.conflicts);
  const kept = different - overwritten - conflicts;
  if (kept > 0) {
    const otherwise = mode === "missing" ? " (--mode merge or overwrite replaces them)" : "";
    notes.push(`Left as they are in the target: ${thatDiffer(kept)}${otherwise}.`);
  }
  if (conflicts > 0)
    notes.push(
      `Left and named at the end: ${thatDiffer(conflicts)}, where it is not known which of the two is to stay.`,
    );
  const [extra, newerExtra] = [sum((one) => one.extra), sum((one) => one.newerExtra)];
  if (extra === 0) return notes;
  const groups = `${grouped(extra - newerExtra)} from before the copy was last verified, ${grouped(newerExtra)} newer or without a date that tells`;
  const kind = includeNewer
    ? "all of them are removed"
    : "the first are removed, the others kept (--include-newer)";
  notes.push(`Only in the target: ${groups}; ${mode === "exact" ? kind : "all of them are kept"}.`);
  return notes;
}

/** Rows that need what no copy holds: users of the project, for example. */
function outsideNotes({ stores: { target }, jobs, previews }: RestoreFindings): string[] {
  return jobs.flatMap(({ to }) => {
    const { outside = 0 } = previews.get(to.name) ?? {};
    if (outside === 0) return [];
    const where = (target.references?.outside(to.name) ?? []).map(
      ({ fields, to: other }) => `${fields.join(", ")} → ${other}`,
    );
    return [
      `${grouped(outside)} ${target.words.documents} of ${to.name} that are missing refer to what the copy does not hold (${where.join("; ")}): they can be restored only where that is there.`,
    ];
  });
}

/** What a server deletes by itself is gone again soon after it was restored. */
async function expiryNotes({ stores, jobs }: RestoreFindings, signal: AbortSignal): Promise<string[]> {
  const { expiry } = stores.source;
  const all = await Promise.all(
    jobs.map(async ({ from }) => ({ from, due: (await expiry?.count?.(from, new Date(), signal)) ?? 0 })),
  );
  return all
    .filter(({ due }) => due > 0)
    .map(
      ({ from, due }) =>
        `${count(due, "document")} of ${from.name} ${due === 1 ? "has" : "have"} expired: the target's server deletes ${due === 1 ? "it" : "them"} at once where it has the same rule, or soon after the indexes are built, at the end (--no-indexes leaves them out).`,
    );
}

/** Parts of definitions that are named. */
const SHOWN = 10;

/** What is there already keeps its options and indexes; indexes that it lacks are built. */
async function metadataNotes(
  { stores: { source, target }, jobs, target: { listing } }: RestoreFindings,
  { wanted: { renames } }: RestoreOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const power = source.metadata;
  if (power === undefined || target.metadata === undefined) return [];
  const there = new Set(listing.collections.map(({ name }) => name));
  const differing = async ({ from, to }: PlannedJob): Promise<readonly string[]> => {
    const of = async ({ metadata }: Reader, { kind, name }: CollectionInfo) =>
      kind === "definition" ? [] : ((await metadata?.indexes(name, signal)) ?? []);
    const [sourceIndexes, targetIndexes] = await Promise.all([of(source, from), of(target, to)]);
    const pair = { source: from, target: to, renames, sourceIndexes, targetIndexes };
    return power
      .differences(pair)
      .filter(({ key, sigil }) => sigil !== "+" || !key.startsWith("index "))
      .map(({ key }) => key);
  };
  const keys = (await Promise.all(jobs.filter(({ to }) => there.has(to.name)).map(differing))).flat();
  if (keys.length === 0) return [];
  const more = keys.length > SHOWN ? ` and ${keys.length - SHOWN} more` : "";
  return [
    `Other in the copy, and left in the target as it is: ${keys.slice(0, SHOWN).join(", ")}${more}. dualsync diff shows how.`,
  ];
}

/** Where what is replaced goes, how much that is, and whether there is room. */
async function journalNotes(
  { previews, savedBytes, stores }: RestoreFindings,
  { cwd, throwAway, apply }: RestoreOptions,
  { runId }: RunContext,
): Promise<string[]> {
  const all = [...previews.values()];
  const added = all.reduce((sum, { missing, overwritten }) => sum + missing + overwritten, 0);
  // Where documents are made from something else, what is written is kept, too.
  const wanted =
    stores.target.mapping === undefined ? 0 : all.reduce((sum, one) => sum + one.writtenBytes, 0);
  const needed = savedBytes + added * ENTRY_BYTES + wanted;
  const { bavail, bsize } = await statfs(cwd);
  const free = bavail * bsize;
  const where = `.dualsync/${apply ? journalName(runId) : "undo-RUN.journal"} in this folder`;
  if (apply && needed > free) {
    throw new DualsyncError(
      "local",
      `What this restore must save first takes about ${sizeText(needed)}, and ${sizeText(free)} are free for ${where}.`,
      { hint: "Nothing was restored. Make room, or run it in a folder on a larger disk." },
    );
  }
  const room = needed > free ? `; only ${sizeText(free)} are free there` : `; ${sizeText(free)} are free`;
  const notes = [
    `What is replaced, removed or added is first written down in ${where}: about ${sizeText(needed)}${room}. dualsync undo takes the restore back for ${KEPT_DAYS} days.`,
  ];
  if (throwAway !== undefined)
    notes.push(
      `This machine may be thrown away after the run (${throwAway} is set), and the way back with it: run it on a machine that stays, or keep the folder .dualsync.`,
    );
  return notes;
}

/** Below this a time says nothing of the next one. */
const TELLING = { bytes: 4_000_000, milliseconds: 1_000 };

/** What comparing has cost, and what restoring will: what is left as it is is not read again. */
function costNote({ jobs, previews, compared: { bytes, milliseconds } }: RestoreFindings): string {
  const changing = jobs.filter(({ compared, from }) => compared === undefined && from.kind !== "definition");
  const again = changing.reduce(
    (sum, { from, to }) => sum + from.bytes + (to.documents > 0 ? to.bytes : 0),
    0,
  );
  const written = [...previews.values()].reduce((sum, { writtenBytes }) => sum + writtenBytes, 0);
  // Read, written, and read back.
  const isTelling = bytes >= TELLING.bytes && milliseconds >= TELLING.milliseconds;
  const time = isTelling
    ? `, about ${duration(((again + 2 * written) * milliseconds) / bytes)} at this speed`
    : "";
  return `Comparing took ${duration(milliseconds)} and read ${sizeText(bytes)}. Restoring reads about ${sizeText(again)} of both sides and writes ${sizeText(written)}${time}.`;
}

function sequenceNotes(jobs: readonly PlannedJob[], words: string | undefined): string[] {
  const held = jobs.filter(({ from, to }) => from.kind === "sequence" && to.documents > 0);
  if (held.length === 0) return [];
  return [
    `${words ?? "Collections without an _id"} are restored only as a whole and into empty ones: ${held.map(({ to }) => to.name).join(", ")} ${held.length === 1 ? "holds" : "hold"} documents and ${held.length === 1 ? "stays" : "stay"} unless equal.`,
  ];
}
