import { MaxKey } from "mongodb";
import { compareIds } from "../../../bson/compare-ids.ts";
import { TYPE } from "../../../bson/elements.ts";
import type { Batch, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { Tries } from "../../wrappers/retry.ts";
import type { Server } from "../connection/server.ts";
import { isTransient } from "../failures/faults.ts";
import { isLate, isOutOfTime } from "../failures/link-faults.ts";
import { type FindOptions, RangeCursor } from "./range-cursor.ts";

/** What was to be read next was overwritten (capped collections only). */
const CAPPED_POSITION_LOST = 136;

/** So many empty batches in a row, and a cursor does not end. */
const EMPTY_BATCHES = 1_000;
/** Types whose order no collation changes. */
const PLAINLY_ORDERED = new Set<number>([
  TYPE.objectId,
  TYPE.int32,
  TYPE.int64,
  TYPE.double,
  TYPE.decimal128,
  TYPE.date,
  TYPE.timestamp,
  TYPE.binary,
  TYPE.boolean,
]);

/** A raw find, batch after batch, one batch read ahead. Resumes after the last id when the cursor is lost. */
export async function* readBatches(server: Server, options: FindOptions): AsyncGenerator<Batch> {
  let after = options.after;
  let boundedBelow = after !== undefined || options.range?.from !== undefined;
  for await (const batch of readOn(server, options, () => {
    boundedBelow = true;
  })) {
    if (options.order === "id") after = batch.idOf(batch.length - 1);
    yield batch;
  }
  // A `min` without a `max` ends before the index key MaxKey: a document with exactly that `_id` is read by itself.
  if (
    options.order !== "id" ||
    !boundedBelow ||
    options.range?.to !== undefined ||
    after?.element[0] === TYPE.maxKey
  )
    return;
  const last = new Map([["_id", new Map([["$eq", new MaxKey()]])]]);
  const filter = options.filter === undefined ? last : new Map([["$and", [options.filter, last]]]);
  const { collection, documentBytes, signal } = options;
  yield* readOn(server, { collection, filter, order: "any", documentBytes, signal }, () => undefined);
}

/** Reads one find to its end; `onReopen` hears when it had to be opened again after the last id. */
async function* readOn(server: Server, options: FindOptions, onReopen: () => void): AsyncGenerator<Batch> {
  const { signal, order } = options;
  const tries = new Tries(server.policy);
  let after = options.after;
  let arrived = false;
  let empty = 0;
  if (after?.element[0] === TYPE.maxKey) return; // nothing comes after it
  let cursor = new RangeCursor(server, options, after);
  try {
    for (;;) {
      let batch: Batch | undefined;
      try {
        batch = await cursor.next();
      } catch (error) {
        const isOver = options.timeLimit !== undefined && (isOutOfTime(error) || isLate(error));
        const mayReopen = !isOver && (order === "id" || !arrived);
        if (signal.aborted || !mayReopen || !isTransient(error) || !tries.again()) throw error;
        await cursor.close();
        if (after?.element[0] === TYPE.maxKey) return;
        await tries.wait(signal);
        if (after !== undefined) onReopen();
        cursor = new RangeCursor(server, options, after);
        continue;
      }
      if (batch === undefined) return;
      empty = batch.length === 0 ? empty + 1 : 0;
      if (empty > EMPTY_BATCHES) throw new RangeError("a cursor returns nothing and does not end");
      if (batch.length === 0) continue;
      if (order === "id" && after !== undefined) assertAscending(batch.idOf(0), after);
      tries.reset();
      arrived = true;
      // The batch belongs to whoever gets it: what is needed of it is taken before.
      if (order === "id") after = batch.idOf(batch.length - 1);
      yield batch;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : brokenOff(server, options, error);
  } finally {
    await cursor.close();
  }
}

/** A server that gives documents again would be read for ever. */
function assertAscending(id: DocumentId, after: DocumentId): void {
  const plain = [id, after].every(({ element }) => PLAINLY_ORDERED.has(element[0] as number));
  if (plain && compareIds(id.element, after.element) < 0)
    throw new RangeError("documents are not in the order of their ids");
}

/** A read that ended before its end. What cannot be resumed may still succeed as a whole, later. */
function brokenOff(server: Server, { collection }: FindOptions, error: unknown): DualsyncError {
  const fault = server.fault(error, `read ${collection}`, collection);
  const mayPass = isTransient(error) || (error as { code?: unknown }).code === CAPPED_POSITION_LOST;
  if (fault.retryable || !mayPass) return fault;
  const { exit, message, hint, ofOneCollection } = fault;
  return new DualsyncError(exit, message, { hint, cause: error, retryable: true, ofOneCollection });
}
