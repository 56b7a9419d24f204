/** The statements that create tables again from their blueprints. */
import { grants, literal } from "../api/grants.ts";
import {
  type BlueprintColumn,
  type BlueprintConstraint,
  type BlueprintType,
  type Described,
  NOT_SHOWN,
  type Qualified,
  quoted,
  type TableBlueprint,
} from "./blueprint.ts";

/** What no blueprint brings back, whatever the tables. */
const NEVER =
  "Not brought back: policies, triggers, functions, views, comments, grants to anon and authenticated, publications of Realtime.";

interface CreationText {
  readonly statements: string;
  readonly lacks: readonly string[];
}

/**
 * Tables first, then whatever refers from one to another, so that they may refer to each other in a circle. Types, extensions and
 * sequences that are there already stay as they are; a table that is there fails, and nothing is created.
 */
export function creationOf(tables: readonly TableBlueprint[]): CreationText {
  if (tables.length === 0) return { statements: "", lacks: [] };
  const types = distinct(tables.flatMap((table) => table.types));
  const created = new Set(tables.map(fullName));
  const later = tables.flatMap((table) => needing(table));
  const statements = [
    "-- Read these statements before you run them: they come from the copy, where others may have changed them.",
    "begin;",
    ...distinct(tables.flatMap(({ extensions }) => extensions)).flatMap(extension),
    ...types.map(typeStatement),
    ...tables.flatMap(sequences),
    ...tables.map(table),
    ...tables.flatMap((one) => owners(one)),
    ...tables.flatMap((one) => foreignKeys(one, created)),
    ...tables.flatMap((one) => one.indexes.filter(isWhole).map(({ definition }) => `${definition};`)),
    ...tables.flatMap(rights),
    "notify pgrst, 'reload schema';",
    "commit;",
    ...(later.length === 0 ? [] : ["-- What these need is not brought back. Once it is there:"]),
    ...later.map(({ statement }) => commented(statement)),
  ];
  return {
    statements: `${statements.join("\n")}\n`,
    lacks: [NEVER, ...types.flatMap(unmadeType), ...tables.flatMap(lacksOf)],
  };
}

function distinct<T extends Qualified>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [fullName(one), one])).values()];
}

/** As SQL takes it. */
function fullName({ schema, name }: Qualified): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

function isWhole({ needs }: { readonly needs: readonly string[] }): boolean {
  return needs.length === 0;
}

function extension({ schema, name }: Qualified): string[] {
  if (schema === "pg_catalog") return [`create extension if not exists ${quoted(name)};`];
  return [
    `create schema if not exists ${quoted(schema)};`,
    `create extension if not exists ${quoted(name)} with schema ${quoted(schema)};`,
  ];
}

/** A statement that does nothing where the type is there: types know no `if not exists`. */
function typeStatement(type: BlueprintType): string {
  const create = typeText(type);
  if (create === undefined) return commented(`create type ${fullName(type)} as …;`);
  return block(`${create}; exception when duplicate_object then null;`);
}

function typeText(type: BlueprintType): string | undefined {
  const { kind, labels, base, notNull, expression, checks } = type;
  if (kind === "enum") return `create type ${fullName(type)} as enum (${labels.map(text).join(", ")})`;
  if (kind !== "domain" || base === undefined) return undefined;
  return [
    `create domain ${fullName(type)} as ${base}`,
    ...(expression === undefined ? [] : [`default ${expression}`]),
    ...(notNull ? ["not null"] : []),
    ...checks.filter(isWhole).map(constraintText),
  ].join(" ");
}

function text(value: string): string {
  return literal(value).trim();
}

/** An anonymous block, in quotes that its text does not hold. */
function block(body: string): string {
  let tag = "do";
  while (body.includes(`$${tag}$`)) tag += "_";
  return `do $${tag}$ begin ${body} end $${tag}$;`;
}

/** As comments, whatever lines it has. */
function commented(statement: string): string {
  return statement.replace(/^/gm, "-- ").replace(/[\r\u2028\u2029]/g, " ");
}

/** Of a serial column; that of an identity is made with its column. */
function serials({ columns }: TableBlueprint): readonly BlueprintColumn[] {
  return columns.filter(({ identity, sequence }) => identity === undefined && sequence !== undefined);
}

function sequences(one: TableBlueprint): string[] {
  return serials(one).flatMap(({ sequence }) =>
    sequence === undefined
      ? []
      : [`create sequence if not exists ${fullName(sequence)} as ${sequence.type} ${sequence.options};`],
  );
}

function owners(one: TableBlueprint): string[] {
  return serials(one).flatMap(({ name, sequence }) =>
    sequence === undefined
      ? []
      : [`alter sequence ${fullName(sequence)} owned by ${fullName(one)}.${quoted(name)};`],
  );
}

function table(one: TableBlueprint): string {
  const lines = [
    ...one.columns.map(column),
    ...one.constraints.filter((found) => found.type !== "f" && isWhole(found)).map(constraintText),
  ];
  return `create table ${fullName(one)} (\n${lines.map((line) => `  ${line}`).join(",\n")}\n);`;
}

function column({ name, type, notNull, collation, generated, identity, ...more }: BlueprintColumn): string {
  const { expression, sequence } = more;
  const isGiven = expression !== undefined && isWhole(more);
  const options = sequence === undefined ? "" : ` (sequence name ${fullName(sequence)} ${sequence.options})`;
  return [
    `${quoted(name)} ${type}`,
    ...(collation === undefined ? [] : [`collate ${collation}`]),
    ...(isGiven && generated !== undefined ? [`generated always as (${expression}) ${generated}`] : []),
    ...(isGiven && generated === undefined ? [`default ${expression}`] : []),
    ...(identity === undefined
      ? []
      : [`generated ${identity === "always" ? "always" : "by default"} as identity${options}`]),
    ...(notNull ? ["not null"] : []),
  ].join(" ");
}

function constraintText({ name, definition }: Described): string {
  return name === undefined ? definition : `constraint ${quoted(name)} ${definition}`;
}

/** One that leads to a table which is not created here is added only where that table is. */
function foreignKeys(one: TableBlueprint, created: ReadonlySet<string>): string[] {
  return one.constraints
    .filter((found) => found.type === "f" && isWhole(found))
    .map((found: BlueprintConstraint) => {
      const statement = `alter table ${fullName(one)} add ${constraintText(found)};`;
      if (found.to === undefined || created.has(fullName(found.to))) return statement;
      return block(`if to_regclass(${text(fullName(found.to))}) is not null then ${statement} end if;`);
    });
}

/** Without policies nobody but the service role sees rows of a table that had them hidden. */
function rights(one: TableBlueprint): string[] {
  return [
    ...(one.rowSecurity ? [`alter table ${fullName(one)} enable row level security;`] : []),
    block(
      `if exists (select from pg_roles where rolname = 'service_role') then ${grants(one.schema, one.name, true)} end if;`,
    ),
  ];
}

interface Needing {
  /** What it is, for people. */
  readonly what: string;
  readonly needs: readonly string[];
  readonly statement: string;
}

/** What must wait for something that is not brought back. */
function needing(one: TableBlueprint): readonly Needing[] {
  const alter = `alter table ${fullName(one)}`;
  return [
    ...one.columns
      .filter((found) => !isWhole(found))
      .map(({ name, expression, generated, needs }) => ({
        what: generated === undefined ? `the default of ${name}` : `what ${name} is generated from`,
        needs,
        statement:
          generated === undefined
            ? `${alter} alter column ${quoted(name)} set default ${expression ?? "…"};`
            : `${alter} drop column ${quoted(name)}, add column ${quoted(name)} … generated always as (${expression}) ${generated};`,
      })),
    ...one.constraints
      .filter((found) => !isWhole(found))
      .map((found) => ({
        what: `the constraint ${found.name}`,
        needs: found.needs,
        statement: `${alter} add ${constraintText(found)};`,
      })),
    ...one.indexes
      .filter((found) => !isWhole(found))
      .map(({ name, definition, needs }) => ({
        what: `the index ${name}`,
        needs,
        statement: `${definition};`,
      })),
  ];
}

function unmadeType(type: BlueprintType): string[] {
  const name = `${type.schema}.${type.name}`;
  if (typeText(type) === undefined)
    return [`The type ${name} is not known well enough: create it before you run the statements.`];
  const checks = type.checks.filter((check) => !isWhole(check)).map((check) => check.name);
  return checks.length === 0 ? [] : [`The type ${name} lacks these checks: ${checks.join(", ")}.`];
}

function lacksOf(one: TableBlueprint): string[] {
  const { name, partitioned, inherits, triggers, policies, rowSecurity, isPartial } = one;
  const until = rowSecurity ? "; until they are back, only the service role sees its rows" : "";
  return [
    ...needing(one).map(({ what, needs }) =>
      needs.includes(NOT_SHOWN)
        ? `${name} lacks ${what}, which the API did not show.`
        : `${name} lacks ${what}, which needs ${needs.join(", ")}.`,
    ),
    ...(partitioned === undefined ? [] : [`${name} was partitioned (${partitioned}); it becomes one table.`]),
    ...(inherits ? [`${name} inherited from another table; it becomes a table of its own.`] : []),
    ...(triggers.length === 0 ? [] : [`${name} had these triggers: ${triggers.join(", ")}.`]),
    ...(policies.length === 0 ? [] : [`${name} had these policies: ${policies.join(", ")}${until}.`]),
    ...(isPartial
      ? [
          `${name} is known only as the API showed it, without dualsync sql: unique constraints, checks, foreign keys of several columns, what deletions do, lengths and scales, generated columns and row-level security are not; keys that are whole numbers become identity columns.`,
        ]
      : []),
  ];
}
