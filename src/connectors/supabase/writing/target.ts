/** Tables of a Supabase project as a target: what may be done with the right to write, and nothing of it without. */
import { randomUUID } from "node:crypto";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, History, PreparedCollection, Run, Source, Target } from "../../contract.ts";
import { provenanceRecord } from "../../control/control-records.ts";
import { ProvenanceBook } from "../../control/provenance.ts";
import type { HeldLease } from "../../lease/lease-renewal.ts";
import { lostError } from "../../lease/lease-renewal.ts";
import type { Project } from "../api/project.ts";
import { type Tables, uidOf } from "../reading/tables.ts";
import { readHistory, writeRecord } from "./control-table.ts";
import { takeLease } from "./lease.ts";
import { moveSequences } from "./sequences.ts";
import { writeTogether } from "./together.ts";
import { WritableTables } from "./writable.ts";
import { Writer } from "./write.ts";

interface SupabaseClaim {
  readonly lease: HeldLease;
  readonly provenance: ProvenanceBook;
  readonly history: History;
  readonly tables: WritableTables;
  readonly writer: Writer;
}

export function writing(project: Project, tables: Tables): Omit<Target, keyof Source> {
  let claimed: SupabaseClaim | undefined;
  const held = async (): Promise<SupabaseClaim> => {
    if (claimed === undefined) throw new DualsyncError("bug", "A target was written to without its lease.");
    await claimed.lease.hold();
    return claimed;
  };
  return {
    // A table that is not there cannot be made: its name is no question.
    nameProblem: () => undefined,
    async claim(run, signal) {
      const lease = await takeLease(project, run, randomUUID());
      try {
        claimed = await begin(project, tables, { lease, run, signal });
        return lease;
      } catch (error) {
        await lease.release().catch(() => undefined); // it ends by itself; the first error is the one to tell
        throw error;
      }
    },
    prepare: async (info, signal) => await prepare(project, await held(), info, signal),
    async reset() {
      await held();
      return false; // only collections without a unique `_id` are ever to be emptied
    },
    async finish(info, _indexes, signal) {
      const { table } = await (await held()).tables.of(info.name, signal);
      return await moveSequences(project, table, signal);
    },
    write: async (collection, batch, mode, signal) =>
      await (await held()).writer.write(collection, batch, mode, signal),
    writeTogether: async (documents, signal) => await writeTogether((await held()).writer, documents, signal),
    remove: async (collection, ids, signal) => await (await held()).writer.remove(collection, ids, signal),
  };
}

async function begin(
  project: Project,
  tables: Tables,
  { lease, run, signal }: { lease: HeldLease; run: Run; signal: AbortSignal },
): Promise<SupabaseClaim> {
  const history = await readHistory(project, signal);
  const provenance = new ProvenanceBook(
    async (name, provenance, until) => {
      const record = provenanceRecord(name, provenance);
      if (!(await writeRecord(project, lease.nonce, record, until))) throw lostError(project.label);
    },
    run.from,
    history,
  );
  const writable = new WritableTables(project, tables);
  return { lease, provenance, history, tables: writable, writer: new Writer(project, writable) };
}

/** Tables are never created or altered: the one that is there is checked. */
async function prepare(
  project: Project,
  { tables, provenance, history }: SupabaseClaim,
  info: CollectionInfo,
  signal: AbortSignal,
): Promise<PreparedCollection> {
  if (info.kind !== "collection") {
    const message = `${info.name} of kind ${info.kind} has no counterpart among the tables of ${project.label}.`;
    throw new DualsyncError("incomplete", message, { hint: "Leave it out with --exclude." });
  }
  const { table } = await tables.of(info.name, signal);
  const uid = uidOf(project.label, table);
  const empty = (await project.count(table.name, table.key[0] ?? "", [], signal)) === 0;
  await provenance.note(info, uid, empty, signal);
  // An application goes on writing into a table once it was filled: what it holds is ours only while that goes on.
  const isGoingOn = history.filled?.complete === false && provenance.isFromEmpty(info.name, uid);
  return { empty, fromEmpty: empty || isGoingOn, uid, notReproduced: [] };
}
