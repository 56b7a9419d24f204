/**
 * Tables of a Supabase project behind the contract: a row is a document. Each folder here knows only those before it:
 * `api` (requests, answers, what failed), `sql` (what a project may be given), `schema` (tables and columns), `mapping` (rows
 * and documents), `reading` (pages, ranges), `digest` (hashes of rows), `writing` (the target half).
 */
import { type Batch, type Doc, DocumentId, idElement } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { CollectionInfo, ReadOptions, Selection } from "../collection.ts";
import type { Reader, Run, With } from "../contract.ts";
import type { Mapping } from "../powers/mapping.ts";
import { retryPolicy } from "../wrappers/retry.ts";
import type { Condition } from "./api/condition.ts";
import { narrowed, ofTable } from "./api/one-table.ts";
import { openProject, type Project } from "./api/project.ts";
import { rowDigester } from "./digest/row-digester.ts";
import { classify, differing, merged } from "./mapping/equivalence/classify.ts";
import { countRows } from "./reading/count.ts";
import { exactnessOf } from "./reading/exact/exactness.ts";
import { cutKeys } from "./reading/ranges.ts";
import { referencesOf } from "./reading/references.ts";
import { rowsOf } from "./reading/rows.ts";
import { Tables } from "./reading/tables.ts";
import { onlyKey, type Table } from "./schema/table.ts";
import { DIGEST } from "./sql/sql-digest.ts";
import { SUPABASE_WORDS } from "./words.ts";
import { blueprintsOf } from "./writing/blueprints.ts";
import { cautionsOf } from "./writing/cautions.ts";
import { readHistory, readNonce } from "./writing/control-table.ts";
import { claim, type SupabaseSession } from "./writing/target.ts";

export interface SupabaseOptions {
  /** As https://name.supabase.co, without a slash at its end. */
  readonly url: string;
  /** A secret or service_role key. */
  readonly key: string;
  readonly schema: string;
  /** Host and path, for people. */
  readonly label: string;
  readonly role: "source" | "target";
  /** How often a failed request is sent again. */
  readonly retries?: number | undefined;
}

/** A project: its documents are made from rows. */
export type SupabaseReader = Reader &
  With<
    | "mapping"
    | "ranges"
    | "lookup"
    | "keys"
    | "changes"
    | "exactness"
    | "hiding"
    | "presence"
    | "references"
    | "cautions"
    | "blueprints"
    | "history"
    | "size"
  >;

export interface SupabaseStore extends SupabaseReader {
  claim(run: Run, signal: AbortSignal): Promise<SupabaseSession>;
}

/** Connects and makes sure that the key may see tables. */
export async function supabase(options: SupabaseOptions, signal: AbortSignal): Promise<SupabaseStore> {
  const { url, key, schema, label, role, retries } = options;
  const project = await openProject({ url, key, schema, label, role, policy: retryPolicy(retries) });
  const tables = new Tables(project);
  const { version } = await tables.read(signal);
  return {
    ...reader(project, tables, version),
    claim: (run, until) => claim(project, tables, run, until),
  };
}

function reader(project: Project, tables: Tables, version: string): SupabaseReader {
  const { label } = project;
  const reading = { project, tables };
  return {
    label,
    words: SUPABASE_WORDS,
    countsExactly: true,
    uidsHoldNames: true,
    async identity() {
      // Of the last answer: an earlier time than now is never too late.
      const time = project.time();
      return { product: `Supabase (PostgREST ${version})`, label, ...(time === undefined ? {} : { time }) };
    },
    list: (until, selects) => tables.list(until, selects),
    count: (collection, selection, until) => count(reading, collection, selection, until),
    read: (collection, readOptions) => read(reading, collection, readOptions),
    close: async () => undefined,
    mapping: mappingOf(reading),
    ranges: {
      cut: (collection, pieces, until, within) =>
        ofTable(project, until, async () =>
          cutKeys(project, await tables.table(collection.name, until), { pieces, within }, until),
        ),
    },
    lookup: {
      find: (collection, ids, until) =>
        ofTable(project, until, async () =>
          rowsOf(project, await tables.table(collection, until)).find(ids, until),
        ),
      // An id that no row of a table can have is known to be absent.
      canQuery: () => true,
    },
    keys: { read: (collection, readOptions) => read(reading, collection, readOptions, onlyKey) },
    changes: {
      count: (collection, since, until) =>
        ofTable(project, until, async () => {
          const { name, key } = await tables.table(collection.name, until);
          return await project.count(name, key[0] ?? "", changes(collection, since), until);
        }),
    },
    exactness: { inexact: (collection) => exactnessOf(project).inexact(collection) },
    hiding: { reason: (collection, until) => tables.hiddenReason(collection, until) },
    presence: {
      stillExists: (collection, until) => tables.stillExists(collection, until),
      replaced: (collections, until) => tables.replaced(collections, until),
    },
    references: referencesOf(project, tables),
    cautions: cautionsOf(project, tables),
    blueprints: blueprintsOf(project, tables),
    history: {
      read: (until) => readHistory(project, until),
      seesNonce: async (nonce, until) => (await readNonce(project, until)) === nonce,
    },
    size: {
      async bytes(until) {
        const { collections } = await tables.list(until);
        return collections.reduce((sum, { bytes }) => sum + bytes, 0);
      },
    },
  };
}

interface ProjectReading {
  readonly project: Project;
  readonly tables: Tables;
}

async function* read(
  { project, tables }: ProjectReading,
  collection: CollectionInfo,
  { range, after, changedSince, batchSize, signal }: ReadOptions,
  narrow: (table: Table) => Table = (table) => table,
): AsyncGenerator<Batch> {
  const table = narrow(await tables.table(collection.name, signal));
  let rows = 0;
  const options = {
    range,
    after,
    batchSize,
    where: changes(collection, changedSince),
    signal,
  };
  try {
    for await (const batch of rowsOf(project, table).read(options)) {
      rows += batch.length;
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    throw await narrowed(project, error, signal);
  }
  const isWhole = range?.from === undefined && range?.to === undefined && after === undefined;
  if (!isWhole || changedSince !== undefined || rows > 0 || collection.documents === 0) return;
  throw new DualsyncError(
    project.role,
    `${project.label} returns no rows of ${collection.name}, which had ${collection.documents} when this run started.`,
    {
      hint: "Was the table emptied just now, or does row-level security hide its rows? It does not count as empty. Look at the table, then run the same command again.",
      ofOneCollection: true,
    },
  );
}

function changes({ changedBy, name }: CollectionInfo, since: Date | undefined): readonly Condition[] {
  if (since === undefined) return [];
  if (changedBy === undefined) throw new RangeError(`${name} does not say when its rows were changed`);
  // A row that does not say when it was changed may have come just now.
  const changed = { column: changedBy, is: "gte", value: since.toISOString() } as const;
  return [{ any: [changed, { column: changedBy, null: true }] }];
}

async function count(
  { project, tables }: ProjectReading,
  collection: string,
  { range, filter }: Selection,
  signal: AbortSignal,
): Promise<number> {
  if (filter !== undefined) throw new RangeError("tables have no filters");
  return await ofTable(project, signal, async () =>
    countRows(project, await tables.table(collection, signal), { range }, signal),
  );
}

function mappingOf({ project, tables }: ProjectReading): Mapping {
  return {
    // A date of a document has milliseconds.
    lossy: { note: "microseconds", what: "the microseconds of a time" },
    digester: async ({ name }, signal) =>
      tables.hasFunction(DIGEST)
        ? await ofTable(project, signal, async () =>
            rowDigester(project, await tables.table(name, signal), signal),
          )
        : undefined,
    classify: (collection, own, other) => classify(tables.known(collection), own.bytes, other.bytes),
    differing: (collection, own, other) => differing(tables.known(collection), own.bytes, other.bytes),
    merged(collection, own, other): Doc {
      const bytes = merged(tables.known(collection), own.bytes, other.bytes);
      return { id: new DocumentId(idElement(bytes)), bytes };
    },
  };
}
