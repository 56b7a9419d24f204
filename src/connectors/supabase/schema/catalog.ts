/**
 * Which tables a project has: from the description of its API (Swagger 2.0), which every project gives out. It does
 * not show defaults that are expressions, generated and identity columns, the order of a composite key, scales, nor a
 * view that can be written from a table.
 */

import type { NotCopied } from "../../../model/collection.ts";
import { failure, type SupabaseFailurePlace } from "../api/failures.ts";
import type { Project } from "../api/project.ts";
import type { Column, Reference, Table } from "./table.ts";
import { typeName } from "./type-name.ts";

export interface Catalog {
  /** In the description's order. */
  readonly tables: readonly Table[];
  /** Tables and views that are there and cannot be used. */
  readonly unusable: readonly NotCopied[];
  /** PostgREST's own, as it says; empty where it does not. */
  readonly version: string;
  /** Names of the functions that can be called. */
  readonly functions: ReadonlySet<string>;
}

type CatalogFields = ReadonlyMap<string, unknown>;

/** More than any project has, and than can be copied sensibly. */
const MOST_TABLES = 50_000;
/** Postgres's own bound. */
const MOST_COLUMNS = 1600;
const MOST_LABELS = 10_000;
/** A name in Postgres has at most 63 bytes. */
const LONGEST_NAME = 255;

/** Fails when the description is refused, not understood, or empty: an empty list never counts as nothing to do. */
export async function readCatalog(project: Project, signal: AbortSignal): Promise<Catalog> {
  const { role, label, schema } = project;
  const place: SupabaseFailurePlace = {
    role,
    label,
    schema,
    doing: "read the list of tables",
    access: "list",
  };
  const catalog = catalogOf(await project.openapi(signal));
  if (catalog === undefined) throw failure("list-garbled", place);
  if (catalog.tables.length + catalog.unusable.length === 0) throw failure("list-empty", place);
  return catalog;
}

/** What a description says; undefined when it is none. */
export function catalogOf(document: unknown): Catalog | undefined {
  const root = fieldsOf(document);
  const definitions = fieldsOf(root?.get("definitions") ?? {});
  const paths = fieldsOf(root?.get("paths"));
  if (root?.get("swagger") !== "2.0" || definitions === undefined || paths === undefined) return undefined;
  if (definitions.size > MOST_TABLES) return undefined;
  const tables: Table[] = [];
  const unusable: NotCopied[] = [];
  for (const [name, definition] of definitions) {
    const verbs = fieldsOf(paths.get(`/${name}`)) ?? new Map();
    const found = problemOf(name) ?? tableOf(name, definition, verbs.has("post"));
    if (typeof found === "string") unusable.push({ name: name.slice(0, LONGEST_NAME), reason: found });
    else tables.push(found);
  }
  const functions = [...paths.keys()].flatMap((path) => /^\/rpc\/(.+)$/s.exec(path)?.[1] ?? []);
  const version = fieldsOf(root.get("info"))?.get("version");
  return { tables, unusable, version: versionText(version), functions: new Set(functions) };
}

function versionText(version: unknown): string {
  return typeof version === "string" ? (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? "").slice(0, 20) : "";
}

/** The table, or why it cannot be used. */
function tableOf(name: string, definition: unknown, writable: boolean): Table | string {
  const fields = fieldsOf(definition);
  const properties = fieldsOf(fields?.get("properties") ?? {});
  const listed = fields?.get("required") ?? [];
  if (properties === undefined || !Array.isArray(listed)) return "the project's description of it is invalid";
  if (properties.size === 0) return "it has no columns";
  if (properties.size > MOST_COLUMNS) return "it has more columns than a table can have";
  const required = new Set<unknown>(listed);
  const columns: Column[] = [];
  const key: string[] = [];
  const references: Reference[] = [];
  for (const [column, property] of properties) {
    const facts = fieldsOf(property);
    const format = facts?.get("format");
    if (facts === undefined || typeof format !== "string" || !/^\s*\S.{0,255}$/s.test(format))
      return "the project does not report the types of its columns";
    const problem = problemOf(column);
    if (problem !== undefined) return `of one of its columns, ${problem}`;
    const nullable = !required.has(column);
    const initial = facts.get("default");
    const hasSequence = typeof initial === "string" && /^nextval\s*\(/.test(initial);
    columns.push({
      name: column,
      ...typeName(format),
      nullable,
      hasDefault: facts.has("default"),
      ...(initial === undefined ? {} : { shownDefault: initial }),
      ...labelsOf(facts.get("enum")),
      ...(hasSequence ? { hasSequence } : {}),
    });
    const { primary, reference } = noteOf(facts.get("description"));
    if (primary) key.push(column);
    if (reference !== undefined) references.push({ column, ...reference });
  }
  return { name, columns, key, references, writable };
}

/** The values of an enum. */
function labelsOf(values: unknown): Pick<Column, "labels"> {
  const isList = Array.isArray(values) && values.every((value) => typeof value === "string");
  return isList && values.length <= MOST_LABELS ? { labels: values as readonly string[] } : {};
}

/** Names that an address or a text cannot carry. */
function problemOf(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "the name cannot be used in a URL";
  if (name.length > LONGEST_NAME) return "the name is too long";
  return /[\0\p{Surrogate}]/u.test(name) ? "the name is not valid text" : undefined;
}

/** PostgREST's note, which ends a column's description; what stands before it is a comment that people wrote. */
const NOTE =
  /(?:^|\n\n)Note:\n(This is a Primary Key\.<pk\/>)?\n?(?:This is a Foreign Key to `[^\n]*`\.<fk table='([^\n]*)' column='([^\n]*)'\/>)?$/;

const LONGEST_NOTE = 1000;

function noteOf(description: unknown): {
  primary: boolean;
  reference: Omit<Reference, "column"> | undefined;
} {
  const found = typeof description === "string" ? NOTE.exec(description.slice(-LONGEST_NOTE)) : null;
  const [, primary, table, to] = found ?? [];
  const reference = table === undefined || to === undefined ? undefined : { table, to };
  return { primary: primary !== undefined, reference };
}

/** The own fields of an object, in its order, whatever they are called; undefined: it is none. */
function fieldsOf(value: unknown): CatalogFields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}
