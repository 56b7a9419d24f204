import type { Document } from "mongodb";
import { TYPE } from "../../../bson/elements.ts";
import { Batch, type Doc, type DocumentId } from "../../../model/document.ts";
import { add, NOTHING, type Rejected, type WriteOutcome } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { isBroken, isLate } from "../failures/link-faults.ts";
import { isBlocked, isTaken, reasonOf, type WriteError } from "../failures/write-errors.ts";
import { isQueryable } from "../reading/id-value.ts";
import { isDocumentFault, refusal } from "./document-faults.ts";
import { CommandSender, type SendMode } from "./sender.ts";
import type { Carrier } from "./wire.ts";

const DOLLAR_PREFIXED_NAME = 52;
/** Room in a message for what stands around the documents: the command itself, and 100 bytes for each statement. */
const ROOM_BYTES = 3_000_000;
/** Servers take no more statements than this in one command. */
const MOST_STATEMENTS = 100_000;
/** A rest of this share of a piece is not worth a round trip of its own. */
const SMALL_REST = 0.5;
/** Ids removed in one command: far below the limits of a command, whatever ids they are. */
const MOST_REMOVED = 10_000;

/** How writes look documents up again: given by the connector, which also reads. */
export type Find = (
  collection: string,
  ids: readonly DocumentId[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, Doc>>;

/** How this target takes documents; found out by the self-test of `claim`. */
export interface WriteTransport {
  readonly carrier: Carrier;
  /** Extra fields of insert and update commands. */
  readonly flags: Document;
  /** Validators of the target do not stop documents. */
  readonly passesValidators: boolean;
  /** Why a document cannot be stored unaltered; absent when every document can. */
  readonly objection?: (document: Uint8Array) => string | undefined;
}

/** Where a batch goes, and how. */
interface WriteTask {
  readonly collection: string;
  readonly mode: SendMode;
  /** The batch was sent before: what is found there may be this run's own. */
  readonly repeated: boolean;
  /** It was removed and inserted again already: that is not done twice, as somebody else may put it back each time. */
  readonly isRewrite?: true;
  readonly signal: AbortSignal;
}

/** Writes raw documents, acknowledged by a majority. */
export class DocumentWriter {
  readonly #server: Server;
  readonly #find: Find;
  readonly #sender: CommandSender;
  readonly #objection: WriteTransport["objection"];

  constructor(server: Server, find: Find, transport: WriteTransport) {
    this.#server = server;
    this.#find = find;
    this.#sender = new CommandSender(server, transport.carrier, transport.flags);
    this.#objection = transport.objection;
  }

  async write(collection: string, batch: Batch, mode: SendMode, signal: AbortSignal): Promise<WriteOutcome> {
    const task: WriteTask = { collection, mode, repeated: false, signal };
    const refused = this.#refuse(batch);
    if (refused.length === 0) return await this.#pieces(task, batch);
    const keys = new Set(refused.map(({ id }) => id.key));
    const rest = Batch.of(batch.docs().filter(({ id }) => !keys.has(id.key)));
    return add({ ...NOTHING, rejected: refused }, await this.#pieces(task, rest));
  }

  /** Removes documents by id. If an answer was lost, documents that are gone then count as removed. */
  async remove(collection: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    let removed = 0;
    try {
      for (let from = 0; from < ids.length; from += MOST_REMOVED)
        removed += await this.#sender.remove(collection, ids.slice(from, from + MOST_REMOVED), signal);
      return removed;
    } catch (error) {
      throw signal.aborted
        ? signal.reason
        : this.#server.fault(error, `remove documents of ${collection}`, collection);
    }
  }

  /** Documents that this target cannot store unaltered or that could not be found there again, with the reason. */
  #refuse(batch: Batch): Rejected[] {
    const objection = this.#objection;
    const refused: Rejected[] = [];
    for (let i = 0; i < batch.length; i++) {
      // Nearly every document has an ObjectId in its first place: nothing more to ask.
      if (objection === undefined && batch.bytes[batch.start(i) + 4] === TYPE.objectId) continue;
      const reason = objection?.(batch.bytesOf(i)) ?? lookUpObjection(batch.idOf(i));
      if (reason !== undefined) refused.push({ id: batch.idOf(i), reason });
    }
    return refused;
  }

  /** In order, in pieces as large as the server's pace allows now. */
  async #pieces(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    let outcome = NOTHING;
    for (let from = 0; from < batch.length; ) {
      const { bytes, cautiousBytes } = this.#server.writePace;
      const room = (this.#server.hello.maxMessageBytes - ROOM_BYTES) / (1 + SMALL_REST);
      const limit = Math.min(task.mode === "append" ? cautiousBytes : bytes, room);
      const to = pieceEnd(batch, from, limit);
      const whole = from === 0 && to === batch.length;
      outcome = add(outcome, await this.#piece(task, whole ? batch : batch.slice(from, to)));
      from = to;
    }
    return outcome;
  }

  async #piece(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    const { collection, mode, signal } = task;
    try {
      return await this.#whole(task, batch);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (mode === "append") throw this.#server.fault(error, `write ${collection}`, collection);
      const cut = batch.length > 1 && isLate(error);
      if (!cut && !(await isDocumentFault(this.#server, error, signal)))
        throw this.#server.fault(error, `write ${collection}`, collection);
      const repeated = task.repeated || isLate(error) || isBroken(error);
      if (batch.length > 1) return await this.#halves({ ...task, repeated }, batch);
      return { ...NOTHING, rejected: [{ id: batch.idOf(0), reason: refusal(error) }] };
    }
  }

  async #halves(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    const middle = Math.floor(batch.length / 2);
    const first = await this.#pieces(task, batch.slice(0, middle));
    return add(first, await this.#pieces(task, batch.slice(middle, batch.length)));
  }

  async #whole(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    const { collection, mode, signal } = task;
    const reply = await this.#sender.write(collection, batch, mode, signal);
    if (reply.errors.length === 0) return { written: batch.length, unchanged: 0, rejected: [] };
    if (mode === "append") return await this.#appendRest(task, batch, reply.errors);
    const failed = new Map(reply.errors.map((error) => [error.index, error]));
    const rejected: Rejected[] = [];
    const present: number[] = [];
    const rewrite: number[] = [];
    for (const [index, error] of failed) {
      if (mode !== "replace" && isTaken(error)) present.push(index);
      else if (mode === "replace" && error.code === DOLLAR_PREFIXED_NAME && task.isRewrite !== true)
        rewrite.push(index);
      else rejected.push(rejection(batch.idOf(index), error));
    }
    const done = { written: batch.length - failed.size, unchanged: 0, rejected };
    const repeated = task.repeated || reply.repeated;
    const settled = await this.#settle({ ...task, repeated }, pick(batch, present));
    return add(add(done, settled), await this.#rewrite(task, pick(batch, rewrite)));
  }

  /** An ordered write ends at its first error: what stands behind it was not tried yet. */
  async #appendRest(task: WriteTask, batch: Batch, errors: readonly WriteError[]): Promise<WriteOutcome> {
    const [error] = errors;
    if (error === undefined) return { ...NOTHING, written: batch.length };
    const refused = { id: batch.idOf(error.index), reason: reasonOf(error) };
    const rest = await this.#pieces(task, batch.slice(error.index + 1, batch.length));
    return add({ written: error.index, unchanged: 0, rejected: [refused] }, rest);
  }

  /** Documents whose `_id` is there already: equal ones are done, others are replaced, or left to the caller. */
  async #settle(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    if (batch.length === 0) return NOTHING;
    const documents = batch.docs();
    const there = await this.#find(
      task.collection,
      documents.map((document) => document.id),
      task.signal,
    );
    const differ = documents.filter((document) => {
      const found = there.get(document.id.key);
      return found === undefined || Buffer.compare(found.bytes, document.bytes) !== 0;
    });
    const equal = documents.length - differ.length;
    const settled = task.repeated ? { ...NOTHING, written: equal } : { ...NOTHING, unchanged: equal };
    if (task.mode === "create") return add(settled, { ...NOTHING, rejected: differ.map(occupied) });
    return add(settled, await this.#pieces({ ...task, mode: "replace" }, Batch.of(differ)));
  }

  /** Replacements that updates do not take (a top-level name begins with `$`): removed, then inserted. */
  async #rewrite(task: WriteTask, batch: Batch): Promise<WriteOutcome> {
    if (batch.length === 0) return NOTHING;
    const { collection, signal } = task;
    const ids = batch.docs().map((document) => document.id);
    const before = await this.#find(collection, ids, signal);
    await this.remove(collection, ids, signal);
    const outcome = await this.#pieces({ ...task, mode: "insert", isRewrite: true }, batch);
    const refused = outcome.rejected
      .map(({ id }) => before.get(id.key))
      .filter((document) => document !== undefined);
    // What was there before is still better than nothing.
    if (refused.length > 0) await this.#sender.write(collection, Batch.of(refused), "insert", signal);
    return outcome;
  }
}

function rejection(id: DocumentId, error: WriteError): Rejected {
  const reason = reasonOf(error);
  return isBlocked(error) ? { id, reason, blocked: true } : { id, reason };
}

function occupied({ id }: Doc): Rejected {
  return { id, reason: "another document of the target now has this _id", occupied: true };
}

function lookUpObjection({ element }: DocumentId): string | undefined {
  return isQueryable(element)
    ? undefined
    : "its _id cannot be used in a query, so the copy could not be verified";
}

function pick(batch: Batch, indexes: readonly number[]): Batch {
  return Batch.of(indexes.map((index) => batch.doc(index)));
}

/** Where the piece of about `bytes` that begins at `from` ends; a small rest goes along with it. */
function pieceEnd(batch: Batch, from: number, bytes: number): number {
  const most = Math.min(batch.length, from + MOST_STATEMENTS);
  const limit = batch.start(from) + bytes;
  if (most === batch.length && batch.bytes.length <= limit + SMALL_REST * bytes) return most;
  let to = from + 1;
  while (to < most && batch.end(to) <= limit) to++;
  return to;
}
