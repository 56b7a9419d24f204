import type { Doc, DocumentId } from "../../../model/document.ts";
import type { WriteSession } from "../../contract.ts";
import type { GuardedOutcome, GuardedWrite, GuardedWrites } from "../../powers/guarded-writes.ts";
import type { Rejected } from "../../write-outcome.ts";
import type { KeyPlaces } from "./places.ts";
import { RECORDS } from "./records.ts";

/** A key changes under a write so often at most. */
const MOST_ROUNDS = 4;

const CHANGED = "it was changed by somebody else each time that it was to be written";

/** Writes that take the place of whatever is there: each is guarded by what was seen there just before. */
export function writePlaces(
  places: KeyPlaces,
  guarded: GuardedWrites,
): Pick<WriteSession, "prepare" | "write" | "remove" | "finish"> {
  /** What is to be written of what is seen; undefined: nothing. @returns the keys that were changed each time */
  async function settle(
    ids: readonly DocumentId[],
    signal: AbortSignal,
    plan: (id: DocumentId, seen: Doc | undefined) => GuardedWrite | undefined,
    done: (write: GuardedWrite, outcome: GuardedOutcome) => void,
  ): Promise<readonly DocumentId[]> {
    let open = ids;
    for (let round = 0; open.length > 0 && round < MOST_ROUNDS; round++) {
      const held = await places.look(open, signal);
      const writes = open.flatMap((id) => plan(id, held.get(id.key)?.shown?.doc) ?? []);
      const again: DocumentId[] = [];
      const take = (write: GuardedWrite, outcome: GuardedOutcome): void => {
        if (outcome.result === "conflict") again.push(write.id);
        else done(write, outcome);
      };
      const prepared = [];
      for (const [index, answer] of (await guarded.prepare(RECORDS, writes, signal)).entries()) {
        if ("stored" in answer) prepared.push(answer);
        else take(writes[index] as GuardedWrite, answer);
      }
      for (const [index, outcome] of (await guarded.apply(RECORDS, prepared, signal)).entries())
        take((prepared[index] as (typeof prepared)[number]).write, outcome);
      open = again;
    }
    return open;
  }

  return {
    /** Where the documents lie is decided key by key: nothing is created, and nothing known, beforehand. */
    prepare: async () => ({ empty: false, fromEmpty: false, notReproduced: [] }),
    finish: async () => [],

    async write(_, batch, mode, signal) {
      const wanted = new Map(batch.docs().map((doc) => [doc.id.key, doc]));
      const ids = [...wanted.values()].map(({ id }) => id);
      const rejected: Rejected[] = [];
      let written = 0;
      let unchanged = batch.length - ids.length;
      const plan = (id: DocumentId, seen: Doc | undefined): GuardedWrite | undefined => {
        const doc = wanted.get(id.key);
        if (doc !== undefined && seen !== undefined && Buffer.compare(doc.bytes, seen.bytes) === 0)
          unchanged++;
        else if (seen !== undefined && mode === "create")
          rejected.push({ id, reason: "another document is there", occupied: true });
        else return { id, expected: seen, wanted: doc };
        return undefined;
      };
      const changed = await settle(ids, signal, plan, ({ id }, outcome) => {
        if (outcome.result === "rejected") rejected.push({ id, reason: outcome.reason });
        else written++;
      });
      for (const id of changed) rejected.push({ id, reason: CHANGED });
      return { written, unchanged, rejected };
    },

    /** What cannot be removed stays, and is not counted. */
    async remove(_, ids, signal) {
      let removed = 0;
      const plan = (id: DocumentId, seen: Doc | undefined): GuardedWrite | undefined =>
        seen === undefined ? undefined : { id, expected: seen, wanted: undefined };
      await settle(ids, signal, plan, (__, outcome) => {
        if (outcome.result === "written") removed++;
      });
      return removed;
    },
  };
}
