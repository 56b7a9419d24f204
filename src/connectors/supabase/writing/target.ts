/** Tables of a Supabase project as a target: what may be done with the right to write, and nothing of it without. */
import { randomUUID } from "node:crypto";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo } from "../../collection.ts";
import type { PreparedCollection, Run, WriteSession } from "../../contract.ts";
import { provenanceRecord } from "../../control/control-records.ts";
import { ProvenanceBook } from "../../control/provenance.ts";
import type { HeldLease } from "../../lease/lease-renewal.ts";
import { lostError } from "../../lease/lease-renewal.ts";
import type { RelatedWrites } from "../../powers/related-writes.ts";
import { type History, RESTORE } from "../../powers/run-history.ts";
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
  readonly command: string;
  readonly tables: WritableTables;
  readonly writer: Writer;
}

/** What may be done to a project under its lease. */
export interface SupabaseSession extends WriteSession {
  readonly relatedWrites: RelatedWrites;
}

/** Takes the lease and gives what may be done with it: tables are never created, altered or dropped. */
export async function claim(
  project: Project,
  tables: Tables,
  run: Run,
  signal: AbortSignal,
): Promise<SupabaseSession> {
  const lease = await takeLease(project, run, randomUUID());
  try {
    const claimed = await begin(project, tables, { lease, run, signal });
    const { writer } = claimed;
    return {
      ...lease,
      alters: true,
      rewritesFields: (collection) => tables.known(collection).triggers?.length !== 0,
      async prepare(info, until) {
        await lease.hold();
        return await prepare(project, claimed, info, until);
      },
      async write(collection, batch, mode, until) {
        await lease.hold();
        return await writer.write(collection, batch, mode, until);
      },
      async remove(collection, ids, until) {
        await lease.hold();
        return await writer.remove(collection, ids, until);
      },
      async finish(info, _indexes, until) {
        await lease.hold();
        const { table } = await claimed.tables.of(info.name, until);
        return await moveSequences(project, table, until);
      },
      relatedWrites: {
        async writeTogether(documents, until, onStubs) {
          await lease.hold();
          return await writeTogether(writer, documents, until, onStubs);
        },
      },
    };
  } catch (error) {
    await lease.release().catch(() => undefined); // it expires by itself; the first error is the one to report
    throw error;
  }
}

async function begin(
  project: Project,
  tables: Tables,
  { lease, run, signal }: { lease: HeldLease; run: Run; signal: AbortSignal },
): Promise<SupabaseClaim> {
  const history = await readHistory(project, signal);
  const provenance = new ProvenanceBook(
    async (name, provenance, until) => {
      const record = provenanceRecord(run.command, name, provenance);
      if (!(await writeRecord(project, lease.nonce, record, until))) throw lostError(project.label);
    },
    run,
    history,
  );
  const writable = new WritableTables(project, tables);
  return {
    lease,
    provenance,
    history,
    command: run.command,
    tables: writable,
    writer: new Writer(project, writable),
  };
}

/** Tables are never created or altered: the one that is there is checked. */
async function prepare(
  project: Project,
  { tables, provenance, history, command }: SupabaseClaim,
  info: CollectionInfo,
  signal: AbortSignal,
): Promise<PreparedCollection> {
  if (info.kind !== "collection") {
    const message = `${info.name} of kind ${info.type} has no counterpart among the tables of ${project.label}.`;
    throw new DualsyncError("incomplete", message, { hint: "Leave it out with --exclude." });
  }
  const { table } = await tables.of(info.name, signal);
  const uid = uidOf(project.label, table);
  const empty = (await project.count(table.name, table.key[0] ?? "", [], signal)) === 0;
  await provenance.note(info, uid, empty, signal);
  // An application keeps writing into a table once it was filled: the table is managed only while it is being filled.
  const filling = command === RESTORE ? history.lastRestore : history.lastRun;
  const isUnfinished = filling?.complete === false && provenance.isFromEmpty(info.name, uid);
  return { empty, fromEmpty: empty || isUnfinished, uid, notReproduced: [] };
}
