/**
 * The control records that dualsync keeps in a target: who filled it, and where each collection comes from. Every store
 * holds the same ones, in its own control collection or table.
 *
 * Records are hostile until proved otherwise: whoever may write to the target may have written them. Unknown fields are
 * ignored, so that a program can read what a later one wrote.
 */
import {
  type History,
  type OpenRestore,
  type Provenance,
  RESTORE,
  type RestoreScope,
  type RunRecord,
} from "../powers/run-history.ts";

/** A record's content, by the names of its fields. */
export type ControlFields = Readonly<Record<string, unknown>>;

/** A record as it is written. */
export interface ControlRecord {
  readonly id: string;
  readonly content: ControlFields;
}

const RUN_RECORD = "filled";
const COLLECTION = "collection ";
/** What restores leave stands beside it: the store stays what it was before, an original or somebody's copy. */
const RESTORED = "restored";
const RESTORED_COLLECTION = "restored collection ";

export function runRecord(lastRun: RunRecord): ControlRecord {
  // A list, not an object: stores keep names of fields in an order of their own, or do not take all of them.
  const documents = [...lastRun.documents].map(([name, count]) => ({ name, count }));
  const id = lastRun.command === RESTORE ? RESTORED : RUN_RECORD;
  const { scope, earlier, ...run } = lastRun;
  const restore = {
    ...(scope === undefined ? {} : { scope: scopeFields(scope) }),
    ...(earlier === undefined ? {} : { earlier: earlier.map(openFields) }),
  };
  return { id, content: { ...run, ...restore, documents, at: new Date() } };
}

function scopeFields({ mode, collections }: RestoreScope): ControlFields {
  return { mode, collections: [...collections].map(([name, part]) => ({ name, part })) };
}

function openFields({ scope, ...run }: OpenRestore): ControlFields {
  return scope === undefined ? run : { ...run, scope: scopeFields(scope) };
}

/** `command`: that of the run that leaves it. */
export function provenanceRecord(command: string, collection: string, provenance: Provenance): ControlRecord {
  const prefix = command === RESTORE ? RESTORED_COLLECTION : COLLECTION;
  return { id: prefix + collection, content: { ...provenance } };
}

/** What the records say, by their ids; other records are ignored. */
export function historyOf(records: Iterable<readonly [id: string, content: unknown]>): History {
  const collections = new Map<string, Provenance>();
  const restored = new Map<string, Provenance>();
  let lastRun: RunRecord | undefined;
  let lastRestore: RunRecord | undefined;
  for (const [id, content] of records) {
    const fields = fieldsOf(content);
    if (id === RUN_RECORD) lastRun = runOf(fields);
    else if (id === RESTORED) lastRestore = runOf(fields);
    else if (id.startsWith(COLLECTION)) take(collections, id.slice(COLLECTION.length), fields);
    else if (id.startsWith(RESTORED_COLLECTION)) take(restored, id.slice(RESTORED_COLLECTION.length), fields);
  }
  return {
    collections,
    ...(lastRun === undefined ? {} : { lastRun }),
    ...(lastRestore === undefined ? {} : { lastRestore }),
    // What an earlier restore found may have been changed by anybody since.
    ...(lastRestore?.complete === false ? { restored } : {}),
  };
}

function take(provenances: Map<string, Provenance>, collection: string, content: ControlFields): void {
  const provenance = provenanceOf(content);
  if (provenance !== undefined) provenances.set(collection, provenance);
}

function runOf(content: ControlFields): RunRecord {
  const documents: readonly unknown[] = Array.isArray(content.documents) ? content.documents : [];
  return {
    command: textOf(content.command),
    from: textOf(content.from),
    run: textOf(content.run),
    token: textOf(content.token),
    complete: content.complete === true,
    verified: content.verified === true,
    since: dateOf(content.since),
    documents: new Map(documents.map(fieldsOf).map(({ name, count }) => [textOf(name), Number(count)])),
    ...scopeIn(content),
    ...(Array.isArray(content.earlier) ? { earlier: content.earlier.map(fieldsOf).map(openOf) } : {}),
  };
}

function openOf(content: ControlFields): OpenRestore {
  const completedBy = textOf(content.completedBy);
  return {
    ...{ run: textOf(content.run), from: textOf(content.from), since: dateOf(content.since) },
    ...scopeIn(content),
    ...(completedBy === "" ? {} : { completedBy }),
  };
}

function scopeIn({ scope }: ControlFields): Pick<RunRecord, "scope"> {
  const { mode, collections } = fieldsOf(scope);
  if (!Array.isArray(collections)) return {};
  const parts = collections.map(fieldsOf).map(({ name, part }) => [textOf(name), textOf(part)] as const);
  return { scope: { mode: textOf(mode), collections: new Map(parts) } };
}

function provenanceOf(content: ControlFields): Provenance | undefined {
  const uid = textOf(content.uid);
  if (uid === "") return undefined;
  const source = textOf(content.source);
  const known = { uid, fromEmpty: content.fromEmpty === true, from: textOf(content.from) };
  return source === "" ? known : { ...known, source };
}

/** A date as BSON or as JSON has it; 1970 where it is none. */
function dateOf(value: unknown): Date {
  const date = value instanceof Date ? value : new Date(textOf(value));
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}

/** The fields of a value; none where it is no object. */
export function fieldsOf(value: unknown): ControlFields {
  return typeof value === "object" && value !== null ? (value as ControlFields) : {};
}

/** A text; empty where it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
