/** Changes single documents of a target: each is looked at, saved where that is asked for, changed, and read back. */
import { createHash } from "node:crypto";
import type { SetAside, Target, WriteMode } from "../connectors/connector.ts";
import { Batch, type Doc, type DocumentId } from "../document.ts";
import type { Journal, JournalCollection, JournalEntry } from "./journal.ts";

export interface Change {
  readonly id: DocumentId;
  /** The document that is to be there; absent to remove the one that is. */
  readonly wanted?: Uint8Array;
  /** Bytes that the target's document is believed to take up: bounds what is read at once. */
  readonly bytes?: number;
  /** Whether what the target holds now, or that it holds nothing, may be changed. */
  accepts(found: Doc | undefined): boolean;
}

/**
 * `changed`: done, and seen to be so. `unchanged`: it was so already. `conflict`: the target holds something else than
 * was expected, and was left as it is. `refused`: the server did not take it, or does not hold it as it was written.
 */
export interface Outcome {
  readonly change: Change;
  readonly result: "changed" | "unchanged" | "conflict" | "refused";
  /** For people, without any value of the document; of conflicts and refusals. */
  readonly reason?: string;
}

export interface ChangeOptions {
  /** What a change overwrites or removes is saved here before. */
  readonly journal?: Journal;
  /** Only look: what would be changed counts as changed. */
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
}

/** Bytes and documents of a round trip. */
const CHUNK_BYTES = 8_000_000;
const CHUNK_DOCUMENTS = 500;

/**
 * Makes the changes, which the caller bounds: all are in memory. Removals come first, then replacements, then what is
 * new, so that unique values are free by the time that they are needed; what is refused is tried once more at the end.
 * @returns one outcome for each change
 */
export async function applyChanges(
  target: Target,
  collection: JournalCollection,
  changes: readonly Change[],
  options: ChangeOptions,
): Promise<readonly Outcome[]> {
  const work = { ...options, target, collection };
  const removals = changes.filter(({ wanted }) => wanted === undefined);
  const others = changes.filter(({ wanted }) => wanted !== undefined);
  const first = await inChunks(work, [...removals, ...others]);
  const again = first.filter(({ retry }) => retry).map(({ change }) => change);
  const second = again.length === 0 ? [] : await inChunks(work, again);
  return [...first.filter(({ retry }) => !retry), ...second].map(({ retry: _, ...outcome }) => outcome);
}

interface Work extends ChangeOptions {
  readonly target: Target;
  readonly collection: JournalCollection;
}

/** `retry`: another try may end otherwise. */
type Tried = Outcome & { readonly retry?: boolean };

/** A change that is to be made, and what it is made to. */
interface Due {
  readonly change: Change;
  readonly before: Doc | undefined;
}

async function inChunks(work: Work, changes: readonly Change[]): Promise<readonly Tried[]> {
  const outcomes: Tried[] = [];
  for (const chunk of chunksOf(changes)) outcomes.push(...(await applyChunk(work, chunk)));
  return outcomes;
}

function* chunksOf(changes: readonly Change[]): Generator<readonly Change[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, change] of changes.entries()) {
    const size = Math.max(change.wanted?.length ?? 0, change.bytes ?? 0);
    if (at > from && (bytes + size > CHUNK_BYTES || at - from === CHUNK_DOCUMENTS)) {
      yield changes.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < changes.length) yield changes.slice(from);
}

async function applyChunk(work: Work, chunk: readonly Change[]): Promise<readonly Tried[]> {
  const found = await find(work, chunk);
  const outcomes: Tried[] = [];
  const due: Due[] = [];
  for (const change of chunk) {
    const before = found.get(change.id.key);
    const settled = judge(work.target, change, before);
    if (settled === undefined) due.push({ change, before });
    else outcomes.push(settled);
  }
  if (work.dryRun === true)
    return [...outcomes, ...due.map(({ change }) => ({ change, result: "changed" as const }))];
  if (due.length === 0) return outcomes;
  await work.journal?.save(work.collection, due.map(entryOf));
  const setAside = await write(work, due);
  const after = await find(
    work,
    due.map(({ change }) => change),
  );
  const made = due.map(({ change }) =>
    outcomeOf(change, after.get(change.id.key), setAside.get(change.id.key)),
  );
  return [...outcomes, ...made];
}

async function find(work: Work, changes: readonly Change[]): Promise<ReadonlyMap<string, Doc>> {
  const ids = changes.map(({ id }) => id);
  return await work.target.find(work.collection.name, ids, work.signal);
}

/** The outcome of what is not to be done; undefined for a change that is. */
function judge(target: Target, change: Change, found: Doc | undefined): Outcome | undefined {
  const conflict = (reason: string): Outcome => ({ change, result: "conflict", reason });
  if (!target.canFind(change.id)) return conflict("its _id cannot be asked for");
  if (isWanted(change, found)) return { change, result: "unchanged" };
  if (change.accepts(found)) return undefined;
  return conflict(
    found === undefined
      ? "it is not in the target any more"
      : "the target holds another version of it by now",
  );
}

function isWanted({ wanted }: Change, found: Doc | undefined): boolean {
  if (wanted === undefined || found === undefined) return wanted === found?.bytes;
  return Buffer.compare(wanted, found.bytes) === 0;
}

function entryOf({ change: { id, wanted }, before }: Due): JournalEntry {
  return {
    id: before === undefined ? id.element : before.id.element,
    ...(before === undefined ? {} : { before: before.bytes }),
    ...(wanted === undefined ? {} : { after: { sha256: sha256(wanted), bytes: wanted.length } }),
  };
}

/** Removes, replaces, inserts. @returns what was not taken, by key */
async function write(work: Work, due: readonly Due[]): Promise<ReadonlyMap<string, SetAside>> {
  const { target, collection, signal } = work;
  const removed = due.filter(({ change }) => change.wanted === undefined).map(({ change }) => change.id);
  if (removed.length > 0) await target.remove(collection.name, removed, signal);
  const put = async (mode: WriteMode, some: readonly Due[]): Promise<readonly SetAside[]> => {
    const documents = some.flatMap(({ change: { id, wanted } }) =>
      wanted === undefined ? [] : [{ id, bytes: wanted }],
    );
    if (documents.length === 0) return [];
    return (await target.write(collection.name, Batch.of(documents), mode, signal)).setAside;
  };
  const refused = [
    ...(await put(
      "replace",
      due.filter(({ before }) => before !== undefined),
    )),
    ...(await put(
      "create",
      due.filter(({ before }) => before === undefined),
    )),
  ];
  return new Map(refused.map((one) => [one.id.key, one]));
}

function outcomeOf(change: Change, after: Doc | undefined, setAside: SetAside | undefined): Tried {
  if (isWanted(change, after)) return { change, result: "changed" };
  if (setAside !== undefined) {
    const result = setAside.occupied === true ? "conflict" : "refused";
    return { change, result, reason: setAside.reason, retry: true };
  }
  // Never written again: it may be somebody else's by now.
  const reason =
    after === undefined
      ? "it was written, and is gone again: does another program or a TTL index remove it?"
      : change.wanted === undefined
        ? "it was removed, and is there again: does another program write it?"
        : "it was written, and is another one now: does another program write it, or the server alter it?";
  return { change, result: "refused", reason };
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
