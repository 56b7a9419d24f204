/**
 * How two collections are held against each other, decided here for everything that does: copying into a filled target,
 * verifying, removing, comparing. Two that both come in BSON order of `_id` are merged; of all others each document is
 * looked up on the other side.
 */
import type { CollectionInfo, ReadOptions } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Batch, Doc, DocumentId } from "../../model/document.ts";
import type { SeenIds } from "../../model/seen-ids.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import { canQuery, find } from "./lookup.ts";
import { readOnce } from "./read-once.ts";
import { emptyStep, merge, type Step } from "./walk.ts";

/** A collection of the source, and the target's. */
interface BothCollections {
  readonly source: Reader;
  readonly target: Reader;
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
}

/** Hears of batches as they come by, and keeps none. */
interface Listener {
  add(batch: Batch): void;
}

export interface WalkOptions {
  /** Only what was changed since then is read from the source: each document of it is looked up. */
  readonly changedSince?: Date | undefined;
  readonly onSource?: Listener | undefined;
  /** Hears of nothing where documents are looked up. */
  readonly onTarget?: Listener | undefined;
}

/** Whether documents of both sides come in BSON order of `_id`. A sequence has an order of its own. */
export function inOrder({ from, to }: Pick<BothCollections, "from" | "to">): boolean {
  return isInOrder(from) && isInOrder(to);
}

function isInOrder({ kind, ordered }: CollectionInfo): boolean {
  return ordered && kind !== "sequence";
}

/** Whether `mergeOrLookUp` merges, and so finds extras, too; else only `findExtras` does. */
export function isMerged(
  both: Pick<BothCollections, "from" | "to">,
  { changedSince }: Pick<WalkOptions, "changedSince"> = {},
): boolean {
  return inOrder(both) && changedSince === undefined;
}

/** Holds what the source has against what the target has. */
export function mergeOrLookUp(
  both: BothCollections,
  options: ReadOptions,
  walkOptions: WalkOptions = {},
): AsyncGenerator<Step> {
  const { source, target, from, to } = both;
  const { changedSince, onSource, onTarget } = walkOptions;
  const sourceOptions = changedSince === undefined ? options : { ...options, changedSince };
  const documents = heard(readOnce(source, from, sourceOptions), onSource);
  return isMerged(both, walkOptions)
    ? merge(documents, heard(target.read(to, options), onTarget))
    : lookUpEach(documents, both, options.signal);
}

export interface ExtraOptions {
  /**
   * Where documents are looked up, those that cannot be used in a query of the source are among them only where this is "all": whether
   * it has them is not known.
   */
  readonly which?: "known" | "all" | undefined;
  /** What the source gave just now: it is not looked up again. */
  readonly seen?: SeenIds | undefined;
  /** They are only counted: where ids are to be had without documents, these hold nothing else. */
  readonly areCounted?: true | undefined;
}

/** Finds what only the target has; nothing else in its steps is to be used. */
export function findExtras(
  both: BothCollections,
  options: ReadOptions,
  how: ExtraOptions = {},
): AsyncGenerator<Step> {
  const { source, target, from, to } = both;
  if (!inOrder(both)) return lookUpExtras(both, options, how);
  return merge(source.keys?.read(from, options) ?? source.read(from, options), readOnce(target, to, options));
}

/** Remembers the ids of what a walk reads of the source. */
export function remembering(seen: SeenIds): Listener {
  return {
    add(batch) {
      for (let at = 0; at < batch.length; at++) seen.add(batch.idOf(at).key);
    },
  };
}

function heard(batches: AsyncIterable<Batch>, listener: Listener | undefined): AsyncIterable<Batch> {
  return listener === undefined ? batches : heardBy(listener, batches);
}

async function* heardBy(listener: Listener, batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    listener.add(batch);
    yield batch;
  }
}

/** Documents that are asked for at once. */
const IDS = { count: 500, bytes: 64_000 };

/** Holds only these documents against each other. Finds no extras. */
export async function* lookUpIds(
  { source, target, from, to }: BothCollections,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for (const some of chunksOf(ids, ({ element }) => element.length, IDS)) {
    const [expected, there] = await Promise.all([
      find(source, from, some, signal),
      find(target, to, some, signal),
    ]);
    yield stepOf([...expected.values()], there);
  }
}

/** Finds no extras. */
async function* lookUpEach(
  documentsOfSource: AsyncIterable<Batch>,
  { target, to }: BothCollections,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for await (const batch of documentsOfSource) {
    const documents = batch.docs();
    yield stepOf(documents, await find(target, to, idsOf(documents), signal));
  }
}

function stepOf(documents: readonly Doc[], there: ReadonlyMap<string, Doc>): Step {
  const step = emptyStep();
  for (const expected of documents) {
    const found = there.get(expected.id.key);
    if (found === undefined) step.missing.push(expected);
    else if (Buffer.compare(found.bytes, expected.bytes) !== 0) step.different.push({ expected, found });
    else {
      step.equal.documents++;
      step.equal.bytes += expected.bytes.length;
    }
  }
  return step;
}

async function* lookUpExtras(
  { source, target, from, to }: BothCollections,
  options: ReadOptions,
  { which = "known", seen, areCounted }: ExtraOptions,
): AsyncGenerator<Step> {
  const { signal } = options;
  // Of a target that tells its ids apart only what is extra is read whole.
  const keys = to.idsAreUnique === true && target.lookup !== undefined ? target.keys : undefined;
  for await (const batch of keys?.read(to, options) ?? readOnce(target, to, options)) {
    const open = batch.docs().filter(({ id }) => {
      const isCompared = seen?.has(id.key) === true && canQuery(target, id);
      return !isCompared && (which === "all" || canQuery(source, id));
    });
    const there = await find(source, from, idsOf(open), signal);
    const extra = open.filter(({ id }) => !there.has(id.key));
    if (keys === undefined || areCounted) yield { ...emptyStep(), extra };
    else yield* wholeOf(target, to, extra, signal);
  }
}

/** Documents that are asked for at once and may be large. */
const WHOLE = { count: 100, bytes: 64_000 };

/** Those that are still there; one that cannot be asked for holds its id alone. */
async function* wholeOf(
  target: Reader,
  to: CollectionInfo,
  documents: readonly Doc[],
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for (const some of chunksOf(documents, ({ id }) => id.element.length, WHOLE)) {
    const found = await find(target, to, idsOf(some), signal);
    const others = some.filter(({ id }) => !canQuery(target, id));
    yield { ...emptyStep(), extra: [...found.values(), ...others] };
  }
}

function idsOf(documents: readonly Doc[]): readonly DocumentId[] {
  return documents.map(({ id }) => id);
}
