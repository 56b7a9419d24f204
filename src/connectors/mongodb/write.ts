import type { Document } from "mongodb";
import { TYPE } from "../../bson/elements.ts";
import { Batch, type Doc, type DocumentId } from "../../document.ts";
import type { SetAside, WriteMode, WriteOutcome } from "../connector.ts";
import { retry } from "../retry.ts";
import { codeText, isConnectionFault, isFatal, isTimeout, isTransient, shapeOf } from "./faults.ts";
import { isLookable } from "./lookable.ts";
import type { Server } from "./server.ts";
import { removeStatements, replaceStatements } from "./statements.ts";
import type { Carrier } from "./wire.ts";

const DUPLICATE_KEY = 11000;
const DOLLAR_PREFIXED_NAME = 52;
/** Room in a message for what stands around the documents: the command itself, and 100 bytes for each statement. */
const ROOM_BYTES = 3_000_000;

/** Codes with which a server refuses a whole command because of a document in it. */
const DOCUMENT_FAULTS = new Set([2, 9, 14, 22, 121, 10334, 17280, 17419, 17420]);
/** So many broken connections in a row on one batch, and perhaps a document in it breaks them: it is halved to find out. */
const BROKEN_BATCH = 2;
/** So many on a document by itself, while the server answers otherwise, and it is the document. */
const BROKEN_DOCUMENT = 4;

/** How writes look documents up again: given by the connector, which also reads. */
export type Find = (
  collection: string,
  ids: readonly DocumentId[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, Doc>>;

interface WriteError {
  readonly index: number;
  readonly code: number;
  /** Names of the fields of the violated index. */
  readonly fields: readonly string[];
}

interface Reply {
  readonly errors: readonly WriteError[];
  /** True when the batch was sent more than once: what is found there may be this run's own. */
  readonly repeated: boolean;
}

/** How this target takes documents; found out by the self-test of `claim`. */
export interface WriteWay {
  readonly carrier: Carrier;
  /** Extra fields of insert and update commands. */
  readonly flags: Document;
  /** Validators of the target do not stop documents. */
  readonly passesValidators: boolean;
  /** Why a document cannot be stored unaltered; absent when every document can. */
  readonly objection?: (document: Uint8Array) => string | undefined;
}

/** Writes raw documents, acknowledged by a majority; nothing here decodes a document. */
export class Writer {
  readonly #server: Server;
  readonly #find: Find;
  readonly #way: WriteWay;

  constructor(server: Server, find: Find, way: WriteWay) {
    this.#server = server;
    this.#find = find;
    this.#way = way;
  }

  async write(collection: string, batch: Batch, mode: WriteMode, signal: AbortSignal): Promise<WriteOutcome> {
    const refused = this.#refuse(batch);
    if (refused.length > 0) return await this.#without(collection, batch, refused, mode, signal);
    if (batch.length === 0) return NOTHING;
    if (batch.length > 1 && batch.bytes.length > this.#server.hello.maxMessageBytes - ROOM_BYTES)
      return await this.#halves(collection, batch, mode, signal);
    try {
      return await this.#whole(collection, batch, mode, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (mode === "append" || !(await this.#isDocumentFault(error, signal)))
        throw this.#server.fault(error, `write ${collection}`);
      if (batch.length > 1) return await this.#halves(collection, batch, mode, signal);
      return { ...NOTHING, setAside: [{ id: batch.idOf(0), reason: refusal(error) }] };
    }
  }

  /** Documents that this target cannot store unaltered or that could not be found there again, with the reason. */
  #refuse(batch: Batch): SetAside[] {
    const { objection } = this.#way;
    const refused: SetAside[] = [];
    for (let i = 0; i < batch.length; i++) {
      // Nearly every document has an ObjectId in its first place: nothing more to ask.
      if (objection === undefined && batch.bytes[batch.start(i) + 4] === TYPE.objectId) continue;
      const reason = objection?.(batch.bytesOf(i)) ?? lookUpObjection(batch.idOf(i));
      if (reason !== undefined) refused.push({ id: batch.idOf(i), reason });
    }
    return refused;
  }

  async #without(
    collection: string,
    batch: Batch,
    refused: readonly SetAside[],
    mode: WriteMode,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const keys = new Set(refused.map(({ id }) => id.key));
    const rest = Batch.of(batch.docs().filter(({ id }) => !keys.has(id.key)));
    return add({ ...NOTHING, setAside: refused }, await this.write(collection, rest, mode, signal));
  }

  async remove(collection: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    if (ids.length === 0) return 0;
    const answer = await this.#server.run(
      {
        delete: collection,
        deletes: this.#way.carrier.sequence("deletes", removeStatements(ids)),
        ordered: false,
        writeConcern: { w: "majority" },
      },
      { signal, doing: `remove documents of ${collection}` },
    );
    const failed = Array.isArray(answer.writeErrors) ? answer.writeErrors[0] : undefined;
    const broken = failed ?? answer.writeConcernError;
    if (broken !== undefined) throw this.#server.fault(broken, `remove documents of ${collection}`);
    return Number(answer.n);
  }

  async #halves(
    collection: string,
    batch: Batch,
    mode: WriteMode,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const middle = Math.floor(batch.length / 2);
    const first = await this.write(collection, batch.slice(0, middle), mode, signal);
    return add(first, await this.write(collection, batch.slice(middle, batch.length), mode, signal));
  }

  async #whole(
    collection: string,
    batch: Batch,
    mode: WriteMode,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const reply = await this.#send(collection, batch, mode, signal);
    if (reply.errors.length === 0) return { written: batch.length, unchanged: 0, setAside: [] };
    if (mode === "append") return await this.#appendRest(collection, batch, reply.errors, signal);
    const failed = new Map(reply.errors.map((error) => [error.index, error]));
    const setAside: SetAside[] = [];
    const present: number[] = [];
    const rewrite: number[] = [];
    for (const [index, error] of failed) {
      if (mode === "insert" && error.code === DUPLICATE_KEY && isIdIndex(error)) present.push(index);
      else if (mode === "replace" && error.code === DOLLAR_PREFIXED_NAME) rewrite.push(index);
      else setAside.push({ id: batch.idOf(index), reason: reasonOf(error) });
    }
    const done = { written: batch.length - failed.size, unchanged: 0, setAside };
    const settled = await this.#settle(collection, pick(batch, present), reply.repeated, signal);
    return add(add(done, settled), await this.#rewrite(collection, pick(batch, rewrite), signal));
  }

  /** An ordered write ends at its first error: what stands behind it was not tried yet. */
  async #appendRest(
    collection: string,
    batch: Batch,
    errors: readonly WriteError[],
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const [error] = errors;
    if (error === undefined) return { ...NOTHING, written: batch.length };
    const refused = { id: batch.idOf(error.index), reason: reasonOf(error) };
    const rest = await this.write(collection, batch.slice(error.index + 1, batch.length), "append", signal);
    return add({ written: error.index, unchanged: 0, setAside: [refused] }, rest);
  }

  /** Documents whose `_id` is there already: equal ones are done, others are replaced. */
  async #settle(
    collection: string,
    batch: Batch,
    repeated: boolean,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    if (batch.length === 0) return NOTHING;
    const documents = batch.docs();
    const there = await this.#find(
      collection,
      documents.map((document) => document.id),
      signal,
    );
    const differ = documents.filter((document) => {
      const found = there.get(document.id.key);
      return found === undefined || Buffer.compare(found.bytes, document.bytes) !== 0;
    });
    const equal = documents.length - differ.length;
    const settled = repeated ? { ...NOTHING, written: equal } : { ...NOTHING, unchanged: equal };
    return add(settled, await this.write(collection, Batch.of(differ), "replace", signal));
  }

  /** Replacements that updates do not take (a top-level name begins with `$`): removed, then inserted. */
  async #rewrite(collection: string, batch: Batch, signal: AbortSignal): Promise<WriteOutcome> {
    if (batch.length === 0) return NOTHING;
    const ids = batch.docs().map((document) => document.id);
    const before = await this.#find(collection, ids, signal);
    await this.remove(collection, ids, signal);
    const outcome = await this.write(collection, batch, "insert", signal);
    const refused = outcome.setAside
      .map(({ id }) => before.get(id.key))
      .filter((document) => document !== undefined);
    // What was there before is still better than nothing.
    if (refused.length > 0) await this.#send(collection, Batch.of(refused), "insert", signal);
    return outcome;
  }

  /** Sends one batch until it is acknowledged by a majority. Throws the driver's own error. */
  async #send(collection: string, batch: Batch, mode: WriteMode, signal: AbortSignal): Promise<Reply> {
    let sent = 0;
    const policy = mode === "append" ? { ...this.#server.policy, retries: 0 } : this.#server.policy;
    let broken = 0;
    const mayRetry = (error: unknown): boolean => {
      if (isConnectionFault(error) && !isTimeout(error)) broken++;
      return isTransient(error) && broken < (batch.length > 1 ? BROKEN_BATCH : BROKEN_DOCUMENT);
    };
    return await retry(policy, signal, mayRetry, async () => {
      sent++;
      const answer = await this.#server.run(this.#command(collection, batch, mode), {
        signal,
        doing: `write ${collection}`,
        retry: false,
      });
      const errors = readErrors(answer.writeErrors);
      const fatal = errors.find((error) => isFatal(error));
      if (fatal !== undefined) throw Object.assign(new Error("write refused"), { code: fatal.code });
      return { errors, repeated: sent > 1 };
    });
  }

  #command(collection: string, batch: Batch, mode: WriteMode): Document {
    const common = {
      ordered: mode === "append",
      writeConcern: { w: "majority" },
      ...this.#way.flags,
    };
    const { carrier } = this.#way;
    if (mode === "replace")
      return {
        update: collection,
        updates: carrier.sequence("updates", replaceStatements(batch)),
        ...common,
      };
    return { insert: collection, documents: carrier.sequence("documents", batch.bytes), ...common };
  }

  /** True when the fault lies with a document of the batch: the server answers, and not about its own state. */
  async #isDocumentFault(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (isFatal(error)) return false;
    if (!isConnectionFault(error)) return DOCUMENT_FAULTS.has(shapeOf(error).code ?? 0);
    await this.#server.run({ hello: 1 }, { signal, doing: "reach the server", database: "admin" });
    return true;
  }
}

const NOTHING: WriteOutcome = { written: 0, unchanged: 0, setAside: [] };

export function add(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  return {
    written: a.written + b.written,
    unchanged: a.unchanged + b.unchanged,
    setAside: [...a.setAside, ...b.setAside],
  };
}

function lookUpObjection({ element }: DocumentId): string | undefined {
  return isLookable(element) ? undefined : "its _id cannot be asked for, so the copy could not be proved";
}

function pick(batch: Batch, indexes: readonly number[]): Batch {
  return Batch.of(indexes.map((index) => batch.doc(index)));
}

function readErrors(writeErrors: unknown): WriteError[] {
  if (!Array.isArray(writeErrors)) return [];
  return writeErrors.map((error: Document) => ({
    index: Number(error.index),
    code: Number(error.code),
    fields: Object.keys((error.keyPattern as object | undefined) ?? {}),
  }));
}

function isIdIndex(error: WriteError): boolean {
  // Servers before 4.4 do not say the key pattern; then the documents are looked up.
  return error.fields.length === 0 || (error.fields.length === 1 && error.fields[0] === "_id");
}

function reasonOf(error: WriteError): string {
  if (error.code === DUPLICATE_KEY) {
    return `another document of the target has the same value in the unique index on ${error.fields.join(", ")}`;
  }
  return `the target's server refused it (${codeText({ name: "", code: error.code, codeName: undefined })})`;
}

function refusal(error: unknown): string {
  if (isConnectionFault(error))
    return "the target's server closes the connection when it is sent this document";
  return `the target's server refused it (${codeText(shapeOf(error))})`;
}
