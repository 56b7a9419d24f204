/** Changes single documents of a target: each is looked at, saved where that is asked for, changed, and read back. */
import type { Target } from "../connectors/connector.ts";
import type { Doc, DocumentId } from "../document.ts";
import { applyChunk } from "./change-step.ts";
import type { Journal, JournalCollection } from "./journal.ts";
import { untie } from "./knot.ts";

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
  /** What stood in its way may be gone once other documents are changed: another try is no harm. */
  readonly retry?: true;
}

export interface ChangeOptions {
  /** What a change overwrites or removes is saved here before. */
  readonly journal?: Journal;
  /** Only look: what would be changed counts as changed. */
  readonly dryRun?: boolean;
  /** Documents that hold each other's unique values are taken out together, and put in. Default: true. */
  readonly unties?: boolean;
  /** What another try has saved of documents, by `DocumentId.key`: it is not saved again. */
  readonly saved?: Map<string, string>;
  readonly signal: AbortSignal;
}

/** Bytes and documents of a round trip. */
const CHUNK_BYTES = 8_000_000;
const CHUNK_DOCUMENTS = 500;

/**
 * Makes the changes, which the caller bounds: all are in memory. Removals come first, then replacements, then what is
 * new, so that unique values are free by the time that they are needed; what is refused is tried again for as long as
 * that helps.
 * @returns one outcome for each change
 */
export async function applyChanges(
  target: Target,
  collection: JournalCollection,
  changes: readonly Change[],
  options: ChangeOptions,
): Promise<readonly Outcome[]> {
  const work: Work = { saved: new Map(), ...options, target, collection };
  const removals = changes.filter(({ wanted }) => wanted === undefined);
  const others = changes.filter(({ wanted }) => wanted !== undefined);
  const outcomes: Outcome[] = [];
  let tried = await inChunks(work, [...removals, ...others]);
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const blocked = tried.filter(({ retry }) => retry);
    outcomes.push(...tried.filter(({ retry }) => !retry));
    if (blocked.length === 0) return outcomes;
    if (blocked.length < before) {
      before = blocked.length;
      // The other way round: of values that moved up by one, the last must move first.
      tried = await inChunks(work, blocked.map(({ change }) => change).reverse());
      continue;
    }
    tried = work.unties === false ? blocked : await untied(work, blocked);
    if (tried.every(({ retry }) => retry)) return [...outcomes, ...tried];
    before = Number.POSITIVE_INFINITY;
  }
}

/** What is still refused may be so because two documents exchange a value. */
async function untied(work: Work, blocked: readonly Outcome[]): Promise<readonly Outcome[]> {
  const made = new Map<Change, Outcome>();
  for (const chunk of chunksOf(blocked.map(({ change }) => change)))
    for (const outcome of await untie(work, chunk)) made.set(outcome.change, outcome);
  return blocked.map((outcome) => made.get(outcome.change) ?? outcome);
}

/** Where and how changes are made. */
export interface Work extends ChangeOptions {
  readonly target: Target;
  readonly collection: JournalCollection;
  readonly saved: Map<string, string>;
}

async function inChunks(work: Work, changes: readonly Change[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
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
