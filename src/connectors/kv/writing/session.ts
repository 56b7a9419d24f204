/** A KV store as a target: what may be done with the right to write, and nothing of it without. */
import { randomUUID } from "node:crypto";
import { printId } from "../../../bson/print-id.ts";
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo } from "../../collection.ts";
import type { PreparedCollection, Run, WriteMode, WriteSession } from "../../contract.ts";
import type {
  GuardedOutcome,
  GuardedWrite,
  GuardedWrites,
  PreparedWrite,
} from "../../powers/guarded-writes.ts";
import { add, NOTHING, type NotReproduced, type Rejected, type WriteOutcome } from "../../write-outcome.ts";
import { takeLease } from "../control/lease.ts";
import { isOwnKey } from "../control/own-keys.ts";
import { decodeRecord } from "../entry/decode-record.ts";
import { keyOfId } from "../entry/key-id.ts";
import { mapping } from "../entry/mapping.ts";
import { countKeys } from "../reading/count.ts";
import { COLLECTION } from "../reading/inexact-keys.ts";
import type { KvReading } from "../reading/reading.ts";
import { findRecords } from "../reading/records.ts";
import { guardedWrites } from "./guarded.ts";

export interface KvSession extends WriteSession {
  readonly guarded: GuardedWrites;
}

/** A key that is written to at the same time is looked at so often. */
const TRIES = 4;

/** Takes the lease and gives what may be done with it. */
export async function claim(reading: KvReading, run: Run, _signal: AbortSignal): Promise<KvSession> {
  const lease = await takeLease(reading, run, randomUUID());
  let isHeld = true;
  reading.expiries.leaseIs(() => isHeld && !lease.lost.aborted);
  const guarded = guardedWrites(reading, lease.nonce, lease.hold);
  const writing = { reading, guarded };
  return {
    ...lease,
    guarded,
    async release() {
      isHeld = false;
      await lease.release();
    },
    async prepare(info, until) {
      await lease.hold();
      return await prepare(reading, info, until);
    },
    async write(_collection, batch, mode, until) {
      await lease.hold();
      return await write(writing, batch, mode, until);
    },
    async remove(_collection, ids, until) {
      await lease.hold();
      return await remove(reading, ids, until);
    },
    finish: async () => [],
  };
}

/** There is one collection, and it is always there. */
async function prepare(
  reading: KvReading,
  { kind, name, type }: CollectionInfo,
  signal: AbortSignal,
): Promise<PreparedCollection> {
  if (kind !== "collection" || name !== COLLECTION) {
    const message = `${name} of kind ${type} has no counterpart in ${reading.client.label}: a KV store holds keys, as the documents of ${COLLECTION}.`;
    throw new DualsyncError("incomplete", message, { hint: "Leave it out with --exclude." });
  }
  const empty = (await countKeys(reading, signal)) === 0;
  return { empty, fromEmpty: empty, notReproduced: [] };
}

interface KvWriting {
  readonly reading: KvReading;
  readonly guarded: GuardedWrites;
}

/** Of several documents under one `_id` the last stays, as if each had been written by itself; with `create` the first. */
async function write(
  writing: KvWriting,
  batch: Batch,
  mode: WriteMode,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  let outcome = NOTHING;
  for (const round of rounds(batch.docs()))
    outcome = add(outcome, await writeRound(writing, round, mode, signal));
  return outcome;
}

/** Each document has an `_id` of its own. What is there is looked at before it is overwritten: a write is never blind. */
async function writeRound(
  { reading, guarded }: KvWriting,
  docs: readonly Doc[],
  mode: WriteMode,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const losses = docs.flatMap(lossesOf);
  const rejected: Rejected[] = [];
  let written = 0;
  let unchanged = 0;
  let open = docs;
  for (let tried = 1; open.length > 0; tried++) {
    const found = await findAll(reading, open, signal);
    const due: { readonly doc: Doc; readonly write: GuardedWrite }[] = [];
    for (const doc of open) {
      const there = found.get(doc.id.key);
      const isSame = there !== undefined && holds(there, doc);
      if (isSame && mode !== "replace") unchanged++;
      else if (isSame) written++;
      else if (there !== undefined && mode === "create") rejected.push(occupied(doc.id));
      else due.push({ doc, write: { id: doc.id, expected: there, wanted: doc } });
    }
    const again: Doc[] = [];
    const outcomes = await attempted(
      guarded,
      due.map(({ write: one }) => one),
      signal,
    );
    for (const [at, { doc }] of due.entries()) {
      const outcome = outcomes[at];
      if (outcome?.result === "written") written++;
      else if (outcome?.result === "rejected") rejected.push({ id: doc.id, reason: outcome.reason });
      else again.push(doc);
    }
    if (tried === TRIES) {
      const reason = "it was written to by somebody else each time";
      rejected.push(...again.map(({ id }) => ({ id, reason })));
      break;
    }
    open = again;
  }
  return { written, unchanged, rejected, ...(losses.length === 0 ? {} : { notReproduced: losses }) };
}

async function attempted(
  { prepare: look, apply }: GuardedWrites,
  writes: readonly GuardedWrite[],
  signal: AbortSignal,
): Promise<readonly GuardedOutcome[]> {
  const answers = await look(COLLECTION, writes, signal);
  const due = answers.filter((answer): answer is PreparedWrite => "stored" in answer);
  const applied = due.length === 0 ? [] : await apply(COLLECTION, due, signal);
  let at = 0;
  return answers.map((answer) => ("stored" in answer ? (applied[at++] as GuardedOutcome) : answer));
}

async function findAll(
  reading: KvReading,
  docs: readonly Doc[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Doc>> {
  return await findRecords(
    reading,
    docs.map(({ id }) => id),
    signal,
  );
}

function holds(there: Doc, doc: Doc): boolean {
  return (
    Buffer.compare(there.bytes, doc.bytes) === 0 || mapping.classify(COLLECTION, there, doc) === "equivalent"
  );
}

function lossesOf(doc: Doc): readonly NotReproduced[] {
  const found = decodeRecord(doc);
  if ("problem" in found) return [];
  return found.losses.map((reason) => ({ key: `value ${COLLECTION}/${printId(doc.id.element)}`, reason }));
}

function occupied(id: DocumentId): Rejected {
  return { id, reason: "another value is under this key", occupied: true };
}

/** Bytes of the names of keys in one command, and keys. */
const NAMES = { bytes: 500_000, keys: 500 };

/** Keys whose content cannot be read stay: nobody could have saved it. If an answer was lost, keys that are gone then count as removed. */
async function remove(reading: KvReading, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
  const keys = new Map<string, Uint8Array>();
  for (const id of ids) {
    const key = keyOfId(id);
    if (key !== undefined && !isOwnKey(key) && reading.inexact.unread(id) === undefined)
      keys.set(id.key, key);
  }
  let removed = 0;
  for (const names of chunksOf([...keys.values()])) removed += await removeNames(reading, names, signal);
  return removed;
}

async function removeNames(
  reading: KvReading,
  names: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<number> {
  const ask = async (command: string): Promise<number> => {
    const doing = "remove keys";
    const [reply] = await reading.client.run([[command, ...names]], { signal, doing, repeatable: true });
    if (typeof reply !== "number") throw reading.unexpected(doing, reply);
    return reply;
  };
  const before = await ask("EXISTS");
  if (before === 0) return 0;
  const removed = await ask("DEL");
  return removed >= before ? removed : before - (await ask("EXISTS"));
}

function* chunksOf(names: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let some: Uint8Array[] = [];
  let bytes = 0;
  for (const name of names) {
    if (some.length > 0 && (some.length >= NAMES.keys || bytes + name.length > NAMES.bytes)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(name);
    bytes += name.length;
  }
  if (some.length > 0) yield some;
}

/** The documents in order, in parts without two of one `_id`. */
function rounds(docs: readonly Doc[]): readonly (readonly Doc[])[] {
  const found: Doc[][] = [];
  const counts = new Map<string, number>();
  for (const doc of docs) {
    const round = counts.get(doc.id.key) ?? 0;
    counts.set(doc.id.key, round + 1);
    found[round] ??= [];
    found[round].push(doc);
  }
  return found;
}
