/** Guarded writes of keys, as guarded writes of the store's own documents. */
import type { DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { WriteSession } from "../../contract.ts";
import type {
  GuardedOutcome,
  GuardedWrite,
  GuardedWrites,
  PreparedWrite,
} from "../../powers/guarded-writes.ts";
import { ahead } from "./ahead.ts";
import type { HeldKey, KeyPlaces, KeyStore, PlaceWrite } from "./places.ts";
import { plainCollection } from "./record-places.ts";
import { RECORDS } from "./records.ts";

/** A session whose writes are guarded. */
export type GuardedSession = WriteSession & { readonly guarded: GuardedWrites };

type NotWritten = Exclude<GuardedOutcome, { result: "written" }>;

/** A write that was prepared with the session of the store. */
interface PreparedPlace {
  readonly place: PlaceWrite;
  readonly prepared: PreparedWrite;
}

const WRITTEN: GuardedOutcome = { result: "written" };
const CONFLICT: NotWritten = { result: "conflict" };

/** Collections that are written at a time. */
const AT_ONCE = { most: 8 };

export function guardedPlaces(store: KeyStore, places: KeyPlaces, session: GuardedSession): GuardedWrites {
  const prepared = new WeakMap<PreparedWrite, readonly PreparedPlace[]>();
  const filled = new Map<string, Promise<void>>();

  /** Creates the collection, or makes sure that where its content comes from is noted: once. */
  function fill(collection: string, signal: AbortSignal): Promise<void> {
    const known = filled.get(collection);
    if (known !== undefined) return known;
    const info = { ...(places.listed(collection) ?? plainCollection(collection)), uid: undefined };
    const filling = session.prepare(info, signal).then(() => undefined);
    filled.set(collection, filling);
    filling.catch(() => filled.delete(collection));
    return filling;
  }

  async function applyPlaces(
    collection: string,
    writes: readonly PreparedPlace[],
    signal: AbortSignal,
  ): Promise<readonly GuardedOutcome[]> {
    try {
      await fill(collection, signal);
      const all = writes.map((one) => one.prepared);
      return await session.guarded.apply(collection, all, signal);
    } catch (error) {
      // What cannot be written to one key's collection is that key's matter.
      if (collection === RECORDS || !isOfOneCollection(error)) throw error;
      return writes.map(() => ({ result: "rejected", reason: error.message }));
    }
  }

  /** Somebody else may have begun the same collection meanwhile: then what was created there is taken back. */
  async function keepAlone({ collection, write }: PlaceWrite, signal: AbortSignal): Promise<GuardedOutcome> {
    const info = places.listed(collection) ?? plainCollection(collection);
    let documents = 0;
    for await (const batch of store.read(info, { batchSize: 2, signal })) {
      documents += batch.length;
      batch.release();
      if (documents > 1) break;
    }
    if (documents <= 1) return WRITTEN;
    const removal = { id: write.id, expected: write.wanted, wanted: undefined };
    const [answer] = await session.guarded.prepare(collection, [removal], signal);
    if (answer !== undefined && "stored" in answer) await session.guarded.apply(collection, [answer], signal);
    return CONFLICT;
  }

  return {
    async prepare(_, writes, signal) {
      const held = await places.look(
        writes.map(({ id }) => id),
        signal,
      );
      const now = new Date();
      const planned = writes.map((write) => planWrite(write, held.get(write.id.key), now));
      const steps = planned.flatMap((plan) => ("result" in plan ? [] : plan.places));
      const answers = await prepareAll(session.guarded, steps, signal);
      return planned.map((plan) => {
        if ("result" in plan) return plan;
        const parts: PreparedPlace[] = [];
        for (const place of plan.places) {
          const answer = answers.get(place) ?? CONFLICT;
          if ("result" in answer) return answer;
          parts.push({ place, prepared: answer });
        }
        const result = preparedWrite(plan.write, parts);
        prepared.set(result, parts);
        return result;
      });
    },

    async apply(_, writes, signal) {
      const outcomes = new Map<PreparedWrite, GuardedOutcome>();
      const partsOf = (write: PreparedWrite): readonly PreparedPlace[] => {
        const parts = prepared.get(write);
        if (parts === undefined) throw new DualsyncError("bug", "A write was not prepared by this session.");
        return parts;
      };
      const most = Math.max(0, ...writes.map((write) => partsOf(write).length));
      for (let at = 0; at < most; at++) {
        const due = new Map<PreparedPlace, PreparedWrite>();
        for (const write of writes) {
          const part = partsOf(write)[at];
          // What could not be put in its new place stays in its old one.
          if (part !== undefined && !outcomes.has(write)) due.set(part, write);
        }
        const results = ahead(byCollection([...due.keys()]), AT_ONCE, async ([collection, parts]) => {
          const some = await applyPlaces(collection, parts, signal);
          return await Promise.all(
            parts.map(async (part, index) => {
              const outcome = some[index] ?? CONFLICT;
              const isCreated = outcome.result === "written" && part.place.isAlone === true;
              return [part, isCreated ? await keepAlone(part.place, signal) : outcome] as const;
            }),
          );
        });
        for await (const some of results)
          for (const [part, outcome] of some) {
            const write = due.get(part);
            if (write !== undefined && outcome.result !== "written") outcomes.set(write, outcome);
          }
      }
      return writes.map((write) => outcomes.get(write) ?? WRITTEN);
    },
  };
}

type PlannedWrite = NotWritten | { readonly write: GuardedWrite; readonly places: readonly PlaceWrite[] };

function planWrite(write: GuardedWrite, held: HeldKey | undefined, now: Date): PlannedWrite {
  const { expected, wanted } = write;
  const { doc, problem } = held?.shown ?? {};
  if (held === undefined) return CONFLICT;
  if (problem !== undefined && expected === undefined)
    return { result: "rejected", reason: `what is there cannot be read: it ${problem}` };
  const isExpected =
    doc === undefined || expected === undefined
      ? doc === expected
      : Buffer.compare(doc.bytes, expected.bytes) === 0;
  if (!isExpected) return CONFLICT;
  const places = held.become(wanted, now);
  return "reason" in places ? { result: "rejected", reason: places.reason } : { write, places };
}

/** By the writes. */
async function prepareAll(
  guarded: GuardedWrites,
  places: readonly PlaceWrite[],
  signal: AbortSignal,
): Promise<ReadonlyMap<PlaceWrite, PreparedWrite | NotWritten>> {
  const found = new Map<PlaceWrite, PreparedWrite | NotWritten>();
  const answers = ahead(byCollection(places), AT_ONCE, async ([collection, some]) => {
    const writes = some.map(({ write }) => write);
    return { some, prepared: await guarded.prepare(collection, writes, signal) };
  });
  for await (const { some, prepared } of answers)
    for (const [index, place] of some.entries()) found.set(place, prepared[index] ?? CONFLICT);
  return found;
}

function byCollection<P extends PlaceWrite | PreparedPlace>(parts: readonly P[]): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const part of parts) {
    const { collection } = "place" in part ? part.place : part;
    const group = groups.get(collection);
    if (group === undefined) groups.set(collection, [part]);
    else group.push(part);
  }
  return groups;
}

function preparedWrite(write: GuardedWrite, parts: readonly PreparedPlace[]): PreparedWrite {
  const [first, ...others] = parts.map(({ prepared }) => prepared.stored);
  if (first === undefined) return { write, stored: nothing(write.id) };
  return { write, stored: first, ...(others.length === 0 ? {} : { beside: others }) };
}

/** Where nothing is there and nothing is to be. */
function nothing(id: DocumentId): PreparedWrite["stored"] {
  return { collection: { name: RECORDS }, id, before: undefined, after: undefined };
}

/** Whether one collection alone is the matter. */
function isOfOneCollection(error: unknown): error is DualsyncError {
  return error instanceof DualsyncError && (error.ofOneCollection || error.exit === "incomplete");
}
