/** Which rows others refer to, whatever becomes of those when a row is deleted; and which refer to rows elsewhere. */
import { elements, TYPE } from "../../../bson/elements.ts";
import { JsonNumber, type JsonValue, readJson } from "../../../json/json-reader.ts";
import type { Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { OutsideReference, References } from "../../powers/references.ts";
import { inReferenceOrder } from "../../reference-order.ts";
import type { Condition } from "../api/condition.ts";
import { ofTable } from "../api/one-table.ts";
import type { Project } from "../api/project.ts";
import { denotationOf } from "../mapping/equivalence/denotation.ts";
import { conditionText, keyTexts } from "../mapping/key.ts";
import { layoutOf } from "../mapping/layout.ts";
import { Misfit } from "../mapping/misfit.ts";
import { nameOf } from "../mapping/to-row/bson-value.ts";
import { columnType, isSelectedAsText } from "../schema/column-type.ts";
import type { Column, Referrer, Table } from "../schema/table.ts";
import { CATALOG } from "../sql/sql-catalog.ts";
import { oneOf } from "./key-range.ts";
import { ROUNDS, withheld } from "./pages.ts";
import { type Asked, addressLength, askApart, inAddresses, isNoValue, rowsOf } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function referencesOf(project: Project, tables: Tables): References {
  return {
    unknown: (collection) => unknownReason(project, tables, collection),
    referred: (collection, ids, signal, leaving) =>
      ofTable(project, signal, () => referred(project, tables, { collection, ids, signal, leaving })),
    referrersFirst: (collection, ids, signal) =>
      ofTable(project, signal, () => referrersFirst(project, tables, { collection, ids, signal })),
    outside: (collection) => outside(project, tables, collection),
  };
}

function unknownReason(project: Project, tables: Tables, collection: string): string | undefined {
  const table = tables.known(collection);
  if (table.referredBy === undefined)
    return tables.hasFunction(CATALOG)
      ? `the project's function ${CATALOG} does not show which tables refer to it: run dualsync sql again, and what it prints in the SQL editor`
      : "the project does not show all foreign keys: run dualsync sql, and what it prints in the SQL editor";
  for (const referrer of table.referredBy) {
    const { schema, table: name } = referrer;
    if (schema !== project.schema)
      return `the table ${schema}.${name} refers to it, and the API does not show that schema`;
    const referring = tables.listed(name);
    if (referring === undefined)
      return `the table ${name} refers to it, and this key does not see that table`;
    if (referring.hidesRows === true)
      return `the table ${name} refers to it, and row-level security hides its rows from this key`;
    const problem = problemOf(table, referring, referrer);
    if (problem !== undefined) return `the table ${name} refers to it, but ${problem}`;
  }
  return undefined;
}

/** Types of one family have one text for values that are equal. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ...(["int2", "int4", "int8"] as const).map((type) => [type, "int"] as const),
  ...(["text", "varchar"] as const).map((type) => [type, "text"] as const),
]);
/** Types whose text may stand for more than one value, or is not what conditions take. */
const BLURRED: ReadonlySet<string> = new Set(["float4", "float8", "money"]);

/** Why it cannot be asked for rows of `referring`, as a clause. */
function problemOf(table: Table, referring: Table, { columns, to }: Referrer): string | undefined {
  for (const [at, name] of columns.entries()) {
    const own = columnOf(referring, name);
    const other = columnOf(table, to[at] ?? "");
    if (own === undefined || other === undefined) return `its column ${name} cannot be compared`;
    const isSame = own.type === other.type;
    const family = FAMILIES.get(own.type);
    if (!isSame && (family === undefined || family !== FAMILIES.get(other.type)))
      return `its column ${name} (${own.type}) is of another type than the one it refers to (${other.type})`;
    const { isArray } = columnType(own.type);
    if (isArray || BLURRED.has(own.type) || own.castToText === true || other.castToText === true)
      return `values of its column ${name} (${own.type}) cannot be compared exactly`;
  }
  return undefined;
}

function columnOf({ columns }: Table, name: string): Column | undefined {
  return columns.find((column) => column.name === name);
}

interface ReferredQuestion {
  readonly collection: string;
  readonly ids: readonly DocumentId[];
  readonly signal: AbortSignal;
  readonly leaving?: ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

async function referred(
  project: Project,
  tables: Tables,
  { collection, ids, signal, leaving }: ReferredQuestion,
): Promise<ReadonlyMap<string, string>> {
  const table = await tables.table(collection, signal);
  const reason = unknownReason(project, tables, collection);
  if (reason !== undefined) throw new RangeError(`references to ${collection} are unknown: ${reason}`);
  const found = new Map<string, string>();
  for (const referrer of table.referredBy ?? []) {
    const open = ids.filter(({ key }) => !found.has(key));
    const values = await valuesOf(project, table, referrer.to, open, signal);
    const referring = await tables.table(referrer.table, signal);
    const both = { table, referring, referrer };
    const among = leaving?.get(referrer.table);
    const held =
      among === undefined || among.size === 0
        ? await holders(project, both, values, signal)
        : await holdersThatStay(project, both, values, { among, signal });
    for (const { id } of held) found.set(id.key, referrer.table);
  }
  return found;
}

/** The values that the rows have in these columns; none for a row that is not there, or has null in one of them. */
async function valuesOf(
  project: Project,
  table: Table,
  columns: readonly string[],
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<readonly Asked[]> {
  const places = columns.map((name) => table.key.indexOf(name));
  if (places.every((place) => place >= 0))
    return ids.flatMap((id) => {
      const texts = keyTexts(table, id);
      return texts === undefined ? [] : [{ id, texts: places.map((place) => texts[place] as string) }];
    });
  const isNeeded = ({ name }: Column): boolean => table.key.includes(name) || columns.includes(name);
  const narrow = { ...table, columns: table.columns.filter(isNeeded) };
  const rows = await rowsOf(project, narrow).find(ids, signal);
  return [...rows.values()].flatMap((row) => {
    const texts = textsOf(project, narrow, row, columns);
    return texts === undefined ? [] : [{ id: row.id, texts }];
  });
}

/** Undefined: one of them is null. */
function textsOf(
  { role, label }: Project,
  table: Table,
  row: Doc,
  columns: readonly string[],
): readonly string[] | undefined {
  try {
    const { fields, places } = layoutOf(table);
    const { values } = denotationOf(table, row.bytes);
    const texts = columns.map((name) => {
      const place = places.get(name) ?? -1;
      const [field, text] = [fields[place], values[place]?.text];
      if (field === undefined || text === undefined) throw new RangeError(`no column ${name}`);
      return text === null ? null : conditionText(field, text);
    });
    return texts.includes(null) ? undefined : (texts as string[]);
  } catch (cause) {
    if (!(cause instanceof Misfit || cause instanceof RangeError)) throw cause;
    const message = `${label} gives rows of ${table.name} whose values cannot be used in a condition.`;
    throw new DualsyncError(role, message, { cause, ofOneCollection: true });
  }
}

interface ForeignKeyTables {
  readonly table: Table;
  readonly referring: Table;
  readonly referrer: Referrer;
}

/** Those of the rows that a row of the referring table refers to. */
async function holders(
  project: Project,
  { table, referring, referrer: { columns } }: ForeignKeyTables,
  rows: readonly Asked[],
  signal: AbortSignal,
): Promise<readonly Asked[]> {
  const isSelf = referring.name === table.name;
  const whereOf = (asked: readonly Asked[]): Condition =>
    isSelf
      ? { any: asked.map((one) => byAnother(table, columns, one)) }
      : oneOf(
          columns,
          asked.map(({ texts }) => texts),
        );
  const lengthOf = ({ id, texts }: Asked): number =>
    addressLength(columns, texts) + (isSelf ? addressLength(table.key, keyTexts(table, id) ?? []) : 0);
  const found: Asked[] = [];
  for (const chunk of inAddresses(rows, lengthOf)) {
    const some = await askApart(
      chunk,
      (asked) => look(project, { table: referring, columns, whereOf }, asked, signal),
      (asked) => isNoValue(project, { table: referring, where: whereOf(asked) }, signal),
    );
    found.push(...some);
  }
  return found;
}

/** By the foreign keys of the table to itself. */
async function referrersFirst(
  project: Project,
  tables: Tables,
  { collection, ids, signal }: ReferredQuestion,
): Promise<readonly DocumentId[]> {
  const table = await tables.table(collection, signal);
  const own = (table.referredBy ?? []).filter((one) => isOwn(project, table, one));
  if (own.length === 0 || ids.length < 2) return ids;
  const needed = new Set([...table.key, ...own.flatMap(({ columns, to }) => [...columns, ...to])]);
  const narrow = { ...table, columns: table.columns.filter(({ name }) => needed.has(name)) };
  const rows = await rowsOf(project, narrow).find(ids, signal);
  const nameFor = (at: number, texts: readonly string[]): string => JSON.stringify([at, texts]);
  const byValue = new Map<string, string>();
  const textsBy = (row: Doc, columns: readonly string[]) => textsOf(project, narrow, row, columns);
  for (const [key, row] of rows)
    for (const [at, { to }] of own.entries()) {
      const texts = textsBy(row, to);
      if (texts !== undefined) byValue.set(nameFor(at, texts), key);
    }
  const nodes = ids.map((id) => {
    const row = rows.get(id.key);
    const after = own.flatMap(({ columns }, at) => {
      const texts = row && textsBy(row, columns);
      return texts === undefined ? [] : (byValue.get(nameFor(at, texts)) ?? []);
    });
    return { id, name: id.key, after };
  });
  return inReferenceOrder(nodes)
    .order.map(({ id }) => id)
    .reverse();
}

function isOwn({ schema }: Project, { name }: Table, referrer: Referrer): boolean {
  return referrer.schema === schema && referrer.table === name;
}

interface StayingReferrers {
  /** Keys of rows that do not count. */
  readonly among: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Those of the rows that a row of the referring table refers to which is not among some: all that refer to them are read. */
async function holdersThatStay(
  project: Project,
  { table, referring, referrer: { columns } }: ForeignKeyTables,
  rows: readonly Asked[],
  { among, signal }: StayingReferrers,
): Promise<readonly Asked[]> {
  const isNeeded = ({ name }: Column): boolean => referring.key.includes(name) || columns.includes(name);
  const narrow = { ...referring, columns: referring.columns.filter(isNeeded) };
  const isSelf = referring.name === table.name;
  const found: Asked[] = [];
  for (const chunk of inAddresses(rows, ({ texts }) => addressLength(columns, texts))) {
    const where = [
      oneOf(
        columns,
        chunk.map(({ texts }) => texts),
      ),
    ];
    const open = new Map<string, Asked[]>();
    for (const one of chunk) {
      const text = JSON.stringify(one.texts);
      open.set(text, [...(open.get(text) ?? []), one]);
    }
    for await (const batch of rowsOf(project, narrow).read({ where, signal })) {
      for (const row of batch.docs()) {
        if (among.has(row.id.key)) continue;
        const texts = textsOf(project, narrow, row, columns);
        const held = texts === undefined ? [] : (open.get(JSON.stringify(texts)) ?? []);
        found.push(...held.filter(({ id }) => !isSelf || id.key !== row.id.key));
      }
    }
  }
  return found;
}

/** Rows of the same table that refer to this one, without itself. */
function byAnother(table: Table, columns: readonly string[], { id, texts }: Asked): Condition {
  const key = keyTexts(table, id) ?? [];
  return {
    all: [
      ...columns.map((column, at) => ({ column, is: "eq" as const, value: texts[at] as string })),
      { any: key.map((value, at) => ({ column: table.key[at] as string, is: "neq" as const, value })) },
    ],
  };
}

interface Referring {
  readonly table: Table;
  readonly columns: readonly string[];
  whereOf(asked: readonly Asked[]): Condition;
}

/**
 * Each page shows who is referred to by some row of it: those are asked for no more, until no row is left. It does not show who that is
 * where a value has several texts: then each is asked for alone.
 */
async function look(
  project: Project,
  { table, columns, whereOf }: Referring,
  asked: readonly Asked[],
  signal: AbortSignal,
): Promise<readonly Asked[]> {
  const select = columns.map((column) =>
    isSelectedAsText(columnType(columnOf(table, column)?.type ?? "")) ? { column, cast: "text" } : { column },
  );
  const found: Asked[] = [];
  let empty = 0;
  for (let open = asked; open.length > 0; ) {
    const where = [whereOf(open)];
    const { text } = await project.rows(table.name, { select, where, limit: open.length }, signal);
    const page = valuesIn(project, table, text, columns);
    if (page.size === 0) {
      const rest = await project.count(table.name, columns[0] ?? "", where, signal);
      if (rest === 0) break;
      if (++empty === ROUNDS) throw withheld({ project, table }, rest);
      continue;
    }
    const here = open.length === 1 ? open : open.filter(({ texts }) => page.has(JSON.stringify(texts)));
    found.push(...here);
    if (here.length === 0) {
      for (const one of open)
        found.push(...(await look(project, { table, columns, whereOf }, [one], signal)));
      break;
    }
    open = open.filter((one) => !here.includes(one));
  }
  return found;
}

/** The rows' values in these columns, each row's as the JSON of their texts. */
function valuesIn(
  { role, label }: Project,
  table: Table,
  text: string,
  columns: readonly string[],
): ReadonlySet<string> {
  try {
    const rows = readJson(text, 10);
    if (!Array.isArray(rows)) throw new RangeError("no rows");
    return new Set(rows.map((row: JsonValue) => JSON.stringify(columns.map((name) => valueIn(row, name)))));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `${label} answered with something that is not rows of ${table.name}.`;
    throw new DualsyncError(role, message, { cause, retryable: true });
  }
}

function valueIn(row: JsonValue, name: string): string {
  const value = row instanceof Map ? (row.get(name) as JsonValue | undefined) : undefined;
  if (value instanceof JsonNumber) return value.text;
  if (typeof value !== "string" && typeof value !== "boolean") throw new RangeError("a row without a value");
  return String(value);
}

function outside(
  project: Project,
  tables: Tables,
  collection: string,
): readonly OutsideReference[] | undefined {
  const table = tables.known(collection);
  const { isIdAlone } = layoutOf(table);
  return table.relations
    ?.filter(({ schema, table: name }) => schema !== project.schema || tables.listed(name) === undefined)
    .map(({ columns, schema, table: name }) => {
      const fields = columns.map((column) => (isIdAlone && column === table.key[0] ? "_id" : column));
      return { fields, to: `${schema}.${name}`, isIn: ({ bytes }) => hasAll(bytes, fields) };
    });
}

/** Whether none of these fields is null or missing. */
function hasAll(bytes: Uint8Array, fields: readonly string[]): boolean {
  const open = new Set(fields);
  for (const element of elements(bytes)) {
    if (open.size === 0) break;
    if (element.type !== TYPE.null && element.type !== TYPE.undefined) open.delete(nameOf(bytes, element));
  }
  return open.size === 0;
}
