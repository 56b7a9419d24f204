import type { Document } from "mongodb";
import type { Batch, DocumentId } from "../../../model/document.ts";
import type { WriteMode } from "../../contract.ts";
import { retry } from "../../wrappers/retry.ts";
import type { Server } from "../connection/server.ts";
import { isFatal, isTransient } from "../failures/faults.ts";
import { isBroken, isLate, isOverload, wasNotSent } from "../failures/link-faults.ts";
import { isServerState, readErrors, type WriteError } from "../failures/write-errors.ts";
import { removeStatements, replaceStatements } from "./statements.ts";
import type { Carrier } from "./wire.ts";

/** So many broken connections in a row on one batch, and perhaps a document in it breaks them: it is halved to find out. */
const BROKEN_BATCH = 2;
/** So many on a document by itself, while the server answers in between, and it is the document. */
const BROKEN_DOCUMENT = 6;

/** `append`: in order, for collections without a unique `_id`; not repeatable. */
export type SendMode = WriteMode | "append";

export interface Reply {
  readonly errors: readonly WriteError[];
  /** Number of documents that were inserted or found. */
  readonly found: number;
  /** True when the batch was sent more than once: what is found there may be this run's own. */
  readonly repeated: boolean;
}

/** One write command. */
interface SentCommand {
  readonly collection: string;
  /** Documents or statements. */
  readonly batch: Batch;
  readonly mayRepeat: boolean;
  readonly command: Document;
}

/** Sends write commands until they are acknowledged by a majority. Throws the driver's own errors. */
export class CommandSender {
  readonly #server: Server;
  readonly #carrier: Carrier;
  readonly #flags: Document;

  constructor(server: Server, carrier: Carrier, flags: Document) {
    this.#server = server;
    this.#carrier = carrier;
    this.#flags = flags;
  }

  /**
   * One batch. What must not be sent twice (`append`) is sent again only when it was not sent at all; a batch for
   * which the time was too short is left to the caller, who can cut it.
   */
  async write(collection: string, batch: Batch, mode: SendMode, signal: AbortSignal): Promise<Reply> {
    const command = this.#command(collection, batch, mode);
    return await this.#send({ collection, batch, mayRepeat: mode !== "append", command }, signal);
  }

  /** Statements that do nothing where a document is not what is expected, in no order. `more`: other fields of the command. */
  async guarded(
    collection: string,
    verb: "update" | "delete",
    statements: Batch,
    more: Document,
    signal: AbortSignal,
  ): Promise<Reply> {
    const [field, flags] = verb === "update" ? ["updates", this.#flags] : ["deletes", {}];
    const sequence = { [field]: this.#carrier.sequence(field, statements.bytes) };
    const common = { ordered: false, writeConcern: { w: "majority" } };
    const command = { [verb]: collection, ...sequence, ...common, ...flags, ...more };
    return await this.#send({ collection, batch: statements, mayRepeat: true, command }, signal);
  }

  async #send(sent: SentCommand, signal: AbortSignal): Promise<Reply> {
    const { batch, mayRepeat } = sent;
    let repeated = false;
    let broken = 0;
    const mayRetry = (error: unknown): boolean => {
      if (!isTransient(error)) return false;
      if (wasNotSent(error)) return true;
      repeated = true;
      if (!mayRepeat) return false;
      if (isLate(error)) return batch.length === 1;
      return !isBroken(error) || ++broken < (batch.length > 1 ? BROKEN_BATCH : BROKEN_DOCUMENT);
    };
    return await retry(this.#server.policy, signal, mayRetry, async () => {
      // A server that is down breaks every connection: only with one that answers is it the batch.
      if (broken > 0)
        await this.#server.run({ hello: 1 }, { signal, doing: "reach the server", database: "admin" });
      const answer = await this.#timed(sent, signal);
      const errors = readErrors(answer.writeErrors);
      const cause = errors.find((error) => isFatal(error)) ?? errors.find(isServerState);
      if (cause !== undefined) throw Object.assign(new Error(cause.message), { code: cause.code });
      return { errors, found: Number(answer.n), repeated };
    });
  }

  /** Resolves with the number of documents that were there; after a lost answer, of those that are gone. */
  async remove(collection: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    let repeated = false;
    const mayRetry = (error: unknown): boolean => {
      repeated ||= !wasNotSent(error);
      return isTransient(error);
    };
    return await retry(this.#server.policy, signal, mayRetry, async () => {
      const answer = await this.#server.run(
        {
          delete: collection,
          deletes: this.#carrier.sequence("deletes", removeStatements(ids)),
          ordered: false,
          writeConcern: { w: "majority" },
        },
        { signal, doing: `remove documents of ${collection}`, retry: false },
      );
      const [error] = readErrors(answer.writeErrors);
      if (error !== undefined) throw Object.assign(new Error(error.message), { code: error.code });
      return repeated ? ids.length : Number(answer.n);
    });
  }

  async #timed({ collection, batch, command }: SentCommand, signal: AbortSignal): Promise<Document> {
    const pace = this.#server.writePace;
    const asked = pace.bytes;
    const begun = performance.now();
    try {
      const answer = await this.#server.run(command, {
        signal,
        doing: `write ${collection}`,
        retry: false,
      });
      pace.arrived({ asked, bytes: batch.bytes.length, milliseconds: performance.now() - begun });
      return answer;
    } catch (error) {
      if (isOverload(error)) pace.failed(asked);
      throw error;
    }
  }

  #command(collection: string, batch: Batch, mode: SendMode): Document {
    const common = { ordered: mode === "append", writeConcern: { w: "majority" }, ...this.#flags };
    if (mode === "replace") {
      const updates = this.#carrier.sequence("updates", replaceStatements(batch));
      return { update: collection, updates, ...common };
    }
    return { insert: collection, documents: this.#carrier.sequence("documents", batch.bytes), ...common };
  }
}
