import type { Document } from "mongodb";
import { Batch, type Doc } from "../../../model/document.ts";
import type { GuardedOutcome, GuardedWrite, GuardedWrites } from "../../powers/guarded-writes.ts";
import type { Server } from "../connection/server.ts";
import { shapeOf } from "../failures/faults.ts";
import { isLate } from "../failures/link-faults.ts";
import { reasonOf } from "../failures/write-errors.ts";
import { documentValue, isQueryable } from "../reading/id-value.ts";
import { type LookUp, uidOf } from "../schema/collections.ts";
import { isDocumentFault, refusal } from "./document-faults.ts";
import { CommandSender } from "./sender.ts";
import {
  EXPECTED,
  type GuardedChange,
  guardedLength,
  guardedStatements,
  hasOperatorName,
} from "./statements.ts";
import type { DocumentWriter, Find, WriteTransport } from "./write.ts";

/** Bytes of a statement, and of a command without its statements: what servers take. */
const LARGEST_STATEMENT = (16 * 1024 + 16) * 1024;
/** For each of them the server keeps a plan: more at a time would not be faster. */
const MOST_STATEMENTS = 1_000;

const WRITTEN: GuardedOutcome = { result: "written" };
const CONFLICT: GuardedOutcome = { result: "conflict" };
const TOO_LARGE = "the target's server takes no more than 16 MB of it before and after, together";

/** What servers before 5.0 say of a command with variables. */
const NO_VARIABLES = new Set([9, 40415]);

type Verb = "update" | "delete";

/** What guarded writes are made with. */
export interface GuardedParts {
  readonly server: Server;
  readonly find: Find;
  readonly transport: WriteTransport;
  readonly writer: DocumentWriter;
  readonly lookUp: LookUp;
}

/** Where guarded writes go. */
interface GuardedTask {
  readonly collection: string;
  readonly signal: AbortSignal;
  /** What became of those that are done. */
  readonly outcomes: Map<GuardedWrite, GuardedOutcome>;
}

/**
 * Writes whose own statements say what must be there. What became of each is known where all of a command took effect, and where the
 * server names those that failed; else it is looked up what is there now: what was written and then changed by somebody else counts
 * as a conflict, too.
 */
export class GuardedWriter implements GuardedWrites {
  readonly #parts: GuardedParts;
  readonly #sender: CommandSender;

  constructor(parts: GuardedParts) {
    const { server, transport } = parts;
    this.#parts = parts;
    this.#sender = new CommandSender(server, transport.carrier, transport.flags);
  }

  async prepare(
    ...[collection, writes, signal]: Parameters<GuardedWrites["prepare"]>
  ): ReturnType<GuardedWrites["prepare"]> {
    const { lookUp, transport } = this.#parts;
    const uid = uidOf(await lookUp(collection, signal));
    return writes.map((write) => {
      const reason = objection(transport, write);
      if (reason !== undefined) return { result: "rejected", reason };
      const { id, expected: before, wanted: after } = write;
      return { write, stored: { collection: { name: collection, uid }, id, before, after } };
    });
  }

  async apply(
    ...[collection, prepared, signal]: Parameters<GuardedWrites["apply"]>
  ): ReturnType<GuardedWrites["apply"]> {
    const task: GuardedTask = { collection, signal, outcomes: new Map() };
    const writes = prepared.map(({ write }) => write);
    const changes = writes.filter(isChange);
    const removals = changes.filter(({ wanted }) => wanted === undefined);
    const replacements = changes.filter(({ wanted }) => wanted !== undefined);
    const created = writes.filter((write) => !isChange(write) && write.wanted !== undefined);
    // Values that must be unique are free first, and taken then.
    await this.#pieces(task, "delete", removals);
    await this.#pieces(task, "update", replacements);
    await this.#create(task, created);
    const others = writes.filter((write) => !task.outcomes.has(write));
    await this.#settle(task, others);
    return writes.map((write) => task.outcomes.get(write) ?? CONFLICT);
  }

  /** Where there was none: an insert never takes the place of one that has come since. */
  async #create(
    { collection, signal, outcomes }: GuardedTask,
    writes: readonly GuardedWrite[],
  ): Promise<void> {
    if (writes.length === 0) return;
    const batch = Batch.of(writes.flatMap(({ wanted }) => wanted ?? []));
    const { rejected } = await this.#parts.writer.write(collection, batch, "create", signal);
    const reasons = new Map(rejected.map((one) => [one.id.key, one]));
    for (const write of writes) {
      const refused = reasons.get(write.id.key);
      if (refused === undefined) outcomes.set(write, WRITTEN);
      else outcomes.set(write, refused.occupied ? CONFLICT : { result: "rejected", reason: refused.reason });
    }
  }

  /** In order, in pieces as large as the server's pace allows now. */
  async #pieces(task: GuardedTask, verb: Verb, changes: readonly GuardedChange[]): Promise<void> {
    for (let from = 0; from < changes.length; ) {
      const to = pieceEnd(changes, from, this.#parts.server.writePace.bytes);
      await this.#piece(task, verb, changes.slice(from, to));
      from = to;
    }
  }

  async #piece(task: GuardedTask, verb: Verb, changes: readonly GuardedChange[]): Promise<void> {
    const { collection, signal, outcomes } = task;
    const { server } = this.#parts;
    try {
      await this.#whole(task, verb, changes);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const [only] = changes;
      if (changes.length === 1 && only !== undefined) {
        const unknown = isApart(only) && NO_VARIABLES.has(shapeOf(error).code ?? 0);
        if (!unknown && !(await isDocumentFault(server, error, signal)))
          throw server.fault(error, `write ${collection}`, collection);
        outcomes.set(only, { result: "rejected", reason: unknown ? TOO_LARGE : refusal(error) });
        return;
      }
      if (!isLate(error) && !(await isDocumentFault(server, error, signal)))
        throw server.fault(error, `write ${collection}`, collection);
      const middle = Math.floor(changes.length / 2);
      await this.#pieces(task, verb, changes.slice(0, middle));
      await this.#pieces(task, verb, changes.slice(middle));
    }
  }

  async #whole(task: GuardedTask, verb: Verb, changes: readonly GuardedChange[]): Promise<void> {
    const { collection, signal, outcomes } = task;
    const [only] = changes;
    const apart = only !== undefined && isApart(only) ? only.expected : undefined;
    const variable = apart === undefined ? {} : this.#variable(apart);
    if (variable === undefined) {
      for (const change of changes) outcomes.set(change, { result: "rejected", reason: TOO_LARGE });
      return;
    }
    const statements = guardedStatements(changes, apart !== undefined);
    const { errors, found } = await this.#sender.guarded(collection, verb, statements, variable, signal);
    for (const error of errors) {
      const change = changes[error.index];
      if (change !== undefined) outcomes.set(change, { result: "rejected", reason: reasonOf(error) });
    }
    const rest = changes.filter((change) => !outcomes.has(change));
    // What a pipeline gives is not proved by the self-test.
    const isSure =
      found === rest.length && !rest.some(({ wanted }) => wanted && hasOperatorName(wanted.bytes));
    if (!isSure) await this.#settle(task, rest);
    else for (const change of rest) outcomes.set(change, WRITTEN);
  }

  /** The field of a command that holds a document which has no room in a statement; undefined where it cannot be sent like that. */
  #variable(document: Doc): Document | undefined {
    // A carrier that objects puts the statements into the command, too: they have no room there.
    const value =
      this.#parts.transport.carrier.objection === undefined ? documentValue(document.bytes) : undefined;
    return value === undefined ? undefined : { let: { [EXPECTED]: { $literal: value } } };
  }

  /** By what is there now. */
  async #settle(
    { collection, signal, outcomes }: GuardedTask,
    writes: readonly GuardedWrite[],
  ): Promise<void> {
    if (writes.length === 0) return;
    const there = await this.#parts.find(
      collection,
      writes.map(({ id }) => id),
      signal,
    );
    for (const write of writes) {
      const found = there.get(write.id.key);
      outcomes.set(write, isSame(found, write.wanted) ? WRITTEN : CONFLICT);
    }
  }
}

/** Whether before and after have no room in one statement: those are sent one by one. */
function isApart(change: GuardedChange): boolean {
  return guardedLength(change) > LARGEST_STATEMENT;
}

function isChange(write: GuardedWrite): write is GuardedChange {
  return write.expected !== undefined;
}

function isSame(found: Doc | undefined, wanted: Doc | undefined): boolean {
  if (found === undefined || wanted === undefined) return found === wanted;
  return Buffer.compare(found.bytes, wanted.bytes) === 0;
}

/** Why the write cannot be made as it is; undefined: it can. */
function objection(transport: WriteTransport, { id, expected, wanted }: GuardedWrite): string | undefined {
  if (!isQueryable(id.element)) return "its _id cannot be used in a query, so it cannot be looked for";
  const reason = wanted === undefined ? undefined : transport.objection?.(wanted.bytes);
  if (reason !== undefined || expected === undefined) return reason;
  return transport.carrier.objection?.(expected.bytes);
}

/** Where the piece of about `bytes` that begins at `from` ends. */
function pieceEnd(changes: readonly GuardedChange[], from: number, bytes: number): number {
  let to = from;
  let length = 0;
  for (const change of changes.slice(from, from + MOST_STATEMENTS)) {
    length += guardedLength(change);
    if (to > from && length > bytes) break;
    to++;
  }
  return to;
}
