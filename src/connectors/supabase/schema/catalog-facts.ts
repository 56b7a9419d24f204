/** What the optional function of sql-catalog.ts returns about tables, besides the description of the API. */

import { refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { CATALOG } from "../sql/sql-catalog.ts";
import { OID } from "../sql/sql-oid.ts";
import type { Catalog } from "./catalog.ts";
import { flag, list, object, text, whole } from "./json-values.ts";
import type { Column, DeleteAction, Referrer, Relation, Table } from "./table.ts";
import { typeName } from "./type-name.ts";

interface ColumnFacts {
  /** As `format_type` writes it, with modifiers; of a domain, what is behind it. */
  readonly type: string;
  readonly generated: boolean;
  readonly identity: "always" | "default" | undefined;
  /** Undefined: an older function does not return it. */
  readonly castToText?: boolean | undefined;
}

export interface TableFacts {
  /** Tells a table from every other one that its database has had. */
  readonly oid: number;
  readonly isView: boolean;
  /** Row-level security applies to this key: rows may be hidden from it. */
  readonly hidesRows: boolean;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** In the order of the key's index. */
  readonly key: readonly string[];
  /** Undefined: an older function does not return it. */
  readonly keyIsUnique?: boolean | undefined;
  readonly unique: readonly (readonly string[])[];
  readonly relations: readonly Relation[];
  /** Undefined, as `triggers`: an older function does not return them. */
  readonly referredBy?: readonly Referrer[] | undefined;
  readonly triggers?: readonly string[] | undefined;
}

export interface Facts {
  /** By the name of the table. */
  readonly facts: ReadonlyMap<string, TableFacts>;
  /** Settings of the project's sessions by their names; undefined: an older function does not return them. */
  readonly settings?: ReadonlyMap<string, string> | undefined;
}

const NONE: Facts = { facts: new Map() };

/** None where the project has no such function, does not let this key call it, or has another one of its name. */
export async function readFacts(
  project: Project,
  { functions }: Pick<Catalog, "functions">,
  signal: AbortSignal,
): Promise<Facts> {
  if (!functions.has(CATALOG)) return NONE;
  try {
    const text = await project.rpc(CATALOG, "{}", signal);
    return text === undefined ? NONE : factsOf(JSON.parse(text));
  } catch (error) {
    // The function is optional: without it these facts are unknown.
    if (refusalCode(error) !== undefined || error instanceof SyntaxError || error instanceof TypeError)
      return NONE;
    throw error;
  }
}

/** The number of the table of that name: none where there is no such table; undefined where the project has no function for it. */
export async function readOid(
  project: Project,
  name: string,
  functions: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<number | "none" | undefined> {
  if (!functions.has(OID)) return undefined;
  try {
    const text = await project.rpc(OID, JSON.stringify({ table_name: name }), signal);
    if (text === undefined) return undefined;
    return text.trim() === "null" ? "none" : whole(JSON.parse(text));
  } catch (error) {
    if (refusalCode(error) !== undefined || error instanceof SyntaxError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

/** Throws TypeError when the answer is not what the function of this version gives. */
export function factsOf(answer: unknown): Facts {
  const { version, tables, settings } = object(answer);
  if (version !== 1) throw new TypeError("another version");
  const facts = list(tables).map((entry) => {
    const table = object(entry);
    return [text(table.name), tableFacts(table)] as const;
  });
  return { facts: new Map(facts), settings: settings === undefined ? undefined : settingsOf(settings) };
}

function settingsOf(answer: unknown): ReadonlyMap<string, string> {
  // A setting that this server has not is null.
  const known = Object.entries(object(answer)).filter(([, value]) => value !== null);
  return new Map(known.map(([name, value]) => [name, text(value)] as const));
}

function tableFacts(table: Readonly<Record<string, unknown>>): TableFacts {
  const columns = list(table.columns).map((entry) => {
    const { name, type, generated, identity, castToText } = object(entry);
    return [
      text(name),
      {
        type: text(type),
        generated: flag(generated),
        identity: identity === "always" || identity === "default" ? identity : undefined,
        castToText: castToText === undefined ? undefined : flag(castToText),
      },
    ] as const;
  });
  const kind = text(table.kind);
  return {
    oid: whole(table.oid),
    isView: kind === "v",
    hidesRows: flag(table.hidesRows),
    columns: new Map(columns),
    key: list(table.key).map(text),
    keyIsUnique: table.keyIsUnique === undefined ? undefined : flag(table.keyIsUnique),
    unique: list(table.unique).map((names) => list(names).map(text)),
    relations: list(table.references).map((entry) => {
      const { onDelete } = object(entry);
      const foreignKey = foreignKeyOf(entry);
      return onDelete === undefined ? foreignKey : { ...foreignKey, onDelete: deleteAction(onDelete) };
    }),
    referredBy:
      table.referredBy === undefined
        ? undefined
        : list(table.referredBy).map((entry) => ({
            ...foreignKeyOf(entry),
            onDelete: deleteAction(object(entry).onDelete),
          })),
    triggers: table.triggers === undefined ? undefined : list(table.triggers).map(text),
  };
}

function foreignKeyOf(entry: unknown): Omit<Relation, "onDelete"> {
  const { columns, schema, table, to } = object(entry);
  const foreignKey = {
    columns: list(columns).map(text),
    schema: text(schema),
    table: text(table),
    to: list(to).map(text),
  };
  if (foreignKey.columns.length !== foreignKey.to.length) throw new TypeError("no foreign key");
  return foreignKey;
}

const DELETE_ACTIONS: ReadonlySet<string> = new Set<DeleteAction>([
  ...(["no action", "restrict", "cascade", "set null", "set default"] as const),
]);

function deleteAction(value: unknown): DeleteAction {
  if (!DELETE_ACTIONS.has(text(value))) throw new TypeError("no delete action");
  return value as DeleteAction;
}

/** The table with what is known of it besides; one that the facts are not of stays as it is. */
export function refined(table: Table, facts: TableFacts | undefined): Table {
  if (facts === undefined) return table;
  const { oid, isView, hidesRows, key, keyIsUnique, unique, relations, referredBy, triggers } = facts;
  const isThisKey = key.length === table.key.length && table.key.every((name) => key.includes(name));
  return {
    ...table,
    columns: table.columns.map((column) => refinedColumn(column, facts.columns.get(column.name))),
    writable: table.writable && !isView,
    isView,
    oid,
    hidesRows,
    unique,
    relations,
    referredBy,
    triggers,
    ...(isView ? {} : { keyIndex: key }),
    keyIsUnique: keyIsUnique && isThisKey,
  };
}

function refinedColumn(column: Column, facts: ColumnFacts | undefined): Column {
  if (facts === undefined) return column;
  const { generated, identity, castToText } = facts;
  const { type, scale } = typeName(facts.type);
  return {
    ...column,
    generated,
    identity,
    castToText,
    ...(scale === undefined || type !== column.type ? {} : { scale }),
  };
}
