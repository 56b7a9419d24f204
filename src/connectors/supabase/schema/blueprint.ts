/** What is needed to create a table again, as it is kept with a copy: JSON text, from the function of sql-blueprints.ts or made up of less. */
import { list, object, text } from "./json-values.ts";
import type { Column, Reference, Table } from "./table.ts";

/** A name in a schema, unquoted. */
export interface Qualified {
  readonly schema: string;
  readonly name: string;
}

/** Something that SQL describes. `needs`: what it leans on that no blueprint brings back. */
export interface Described {
  readonly name?: string | undefined;
  readonly definition: string;
  readonly needs: readonly string[];
}

export interface BlueprintSequence extends Qualified {
  readonly type: string;
  /** All that follows `create sequence NAME as TYPE`. */
  readonly options: string;
}

export interface BlueprintColumn {
  readonly name: string;
  /** As SQL has it, with modifiers. */
  readonly type: string;
  readonly notNull: boolean;
  /** As SQL has it. */
  readonly collation?: string | undefined;
  readonly generated?: "stored" | "virtual" | undefined;
  readonly identity?: "always" | "default" | undefined;
  /** The default, or of a generated column what it is made of. */
  readonly expression?: string | undefined;
  readonly needs: readonly string[];
  readonly sequence?: BlueprintSequence | undefined;
}

export interface BlueprintConstraint extends Described {
  /** Primary key, unique, check, exclusion, foreign key. */
  readonly type: "p" | "u" | "c" | "x" | "f";
  /** The table that a foreign key refers to. */
  readonly to?: Qualified | undefined;
}

export interface BlueprintType extends Qualified {
  readonly kind: "enum" | "domain" | "composite" | "other";
  readonly labels: readonly string[];
  /** Of a domain, as SQL has it. */
  readonly base?: string | undefined;
  readonly notNull: boolean;
  readonly expression?: string | undefined;
  readonly checks: readonly Described[];
}

export interface TableBlueprint extends Qualified {
  /** What the description of the API showed, which is not all. */
  readonly isPartial: boolean;
  readonly rowSecurity: boolean;
  /** How it was partitioned, as SQL has it. */
  readonly partitioned?: string | undefined;
  readonly inherits: boolean;
  readonly columns: readonly BlueprintColumn[];
  readonly constraints: readonly BlueprintConstraint[];
  readonly indexes: readonly Described[];
  readonly types: readonly BlueprintType[];
  readonly extensions: readonly Qualified[];
  readonly triggers: readonly string[];
  readonly policies: readonly string[];
}

/** The texts of blueprints by the names of their tables, from what the function returns. Throws TypeError, SyntaxError. */
export function blueprintTexts(answer: string): ReadonlyMap<string, string> {
  const { version, tables } = object(JSON.parse(answer));
  if (version !== 1) throw new TypeError("another version");
  return new Map(
    list(tables).map((table) => {
      const kept = { version, ...object(table) };
      return [blueprintOf(kept).name, JSON.stringify(kept)] as const;
    }),
  );
}

/** What was kept of a table. Throws TypeError, SyntaxError on what is no blueprint. */
export function readBlueprint(kept: string): TableBlueprint {
  return blueprintOf(JSON.parse(kept));
}

function blueprintOf(kept: unknown): TableBlueprint {
  const table = object(kept);
  if (table.version !== 1) throw new TypeError("another version");
  return {
    ...qualified(table),
    isPartial: table.partial === true,
    rowSecurity: table.rowSecurity !== false,
    partitioned: optional(table.partitioned),
    inherits: table.inherits === true,
    columns: list(table.columns).map(columnOf),
    constraints: list(table.constraints).map(constraintOf),
    indexes: list(table.indexes ?? []).map(describedOf),
    types: list(table.types ?? []).map(typeOf),
    extensions: list(table.extensions ?? []).map(qualified),
    triggers: list(table.triggers ?? []).map(text),
    policies: list(table.policies ?? []).map(text),
  };
}

function columnOf(entry: unknown): BlueprintColumn {
  const column = object(entry);
  const { generated, identity, sequence } = column;
  return {
    name: text(column.name),
    type: text(column.type),
    notNull: column.notNull === true,
    collation: optional(column.collation),
    generated: generated === "stored" || generated === "virtual" ? generated : undefined,
    identity: identity === "always" || identity === "default" ? identity : undefined,
    expression: optional(column.default),
    needs: needsOf(column),
    sequence: sequence === undefined ? undefined : sequenceOf(sequence),
  };
}

function sequenceOf(entry: unknown): BlueprintSequence {
  const sequence = object(entry);
  const { start, increment, min, max, cache } = sequence;
  const [first, step, least, most, kept] = [start, increment, min, max, cache].map((number) => {
    if (!/^-?\d{1,19}$/.test(text(number))) throw new TypeError("no number of a sequence");
    return text(number);
  });
  const cycle = sequence.cycle === true ? "cycle" : "no cycle";
  return {
    ...qualified(sequence),
    type: text(sequence.type),
    options: `start with ${first} increment by ${step} minvalue ${least} maxvalue ${most} cache ${kept} ${cycle}`,
  };
}

function constraintOf(entry: unknown): BlueprintConstraint {
  const { type, to } = object(entry);
  if (type !== "p" && type !== "u" && type !== "c" && type !== "x" && type !== "f")
    throw new TypeError("no constraint");
  return { ...describedOf(entry), type, to: to === undefined ? undefined : qualified(to) };
}

function typeOf(entry: unknown): BlueprintType {
  const type = object(entry);
  const { kind } = type;
  return {
    ...qualified(type),
    kind: kind === "enum" || kind === "domain" || kind === "composite" ? kind : "other",
    labels: list(type.labels ?? []).map(text),
    base: optional(type.base),
    notNull: type.notNull === true,
    expression: optional(type.default),
    checks: list(type.checks ?? []).map(describedOf),
  };
}

function describedOf(entry: unknown): Described {
  const found = object(entry);
  return { name: optional(found.name), definition: text(found.definition), needs: needsOf(found) };
}

function needsOf({ needs }: Readonly<Record<string, unknown>>): readonly string[] {
  return list(needs ?? []).map(text);
}

function qualified(entry: unknown): Qualified {
  const { schema, name } = object(entry);
  return { schema: text(schema), name: text(name) };
}

function optional(value: unknown): string | undefined {
  return value === undefined ? undefined : text(value);
}

/** What a default needs that nobody has seen. */
export const NOT_SHOWN = "not shown";

/** SQL's names of types that it does not know under the short one. */
const LONG: ReadonlyMap<string, string> = new Map([["char", '"char"']]);

const WHOLE: ReadonlySet<string> = new Set(["int2", "int4", "int8"]);

/** Defaults that are expressions by all that is known of their columns' types: of others a text may be a value. */
const EXPRESSIONS: ReadonlyMap<string, RegExp> = new Map([
  ["uuid", /^gen_random_uuid\(\)$/],
  ["timestamptz", /^(?:now\(\)|CURRENT_TIMESTAMP)$/],
  ["timestamp", /^(?:now\(\)|CURRENT_TIMESTAMP)$/],
  ["date", /^CURRENT_DATE$/],
]);

/** What the description of the API shows of a table. */
export function partialBlueprint(schema: string, table: Table): string {
  const { name, key, references, columns } = table;
  const isSerial = (column: Column): boolean =>
    column.hasSequence === true ||
    (key.length === 1 &&
      key[0] === column.name &&
      WHOLE.has(column.type) &&
      references.every((one) => one.column !== column.name));
  return JSON.stringify({
    version: 1,
    partial: true,
    schema,
    name,
    rowSecurity: true,
    columns: columns.map((column) => ({
      name: column.name,
      type: LONG.get(column.type) ?? column.type,
      notNull: !column.nullable,
      ...(isSerial(column) ? { identity: "default" } : defaultOf(column)),
    })),
    constraints: [
      ...(key.length === 0 ? [] : [{ type: "p", definition: `primary key (${key.map(quoted).join(", ")})` }]),
      ...references.map((reference) => foreignKey(schema, reference)),
    ],
    types: columns.flatMap(({ type, labels }) => {
      const named = labels === undefined ? undefined : ownType(type);
      return named === undefined ? [] : [{ ...named, kind: "enum", labels }];
    }),
  });
}

function foreignKey(schema: string, { column, table, to }: Reference): object {
  const definition = `foreign key (${quoted(column)}) references ${quoted(schema)}.${quoted(table)} (${quoted(to)})`;
  return { type: "f", definition, to: { schema, name: table } };
}

/** A name as SQL takes it, whatever it is. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A type of the project's own, from its name in SQL. */
function ownType(type: string): Qualified | undefined {
  const part = /(?:"((?:[^"]|"")+)"|([^".[\]]+))/.source;
  const found = new RegExp(`^${part}\\.${part}(?:\\[\\])*$`).exec(type);
  if (found === null) return undefined;
  const nameAt = (at: number): string => found[at]?.replaceAll('""', '"') ?? found[at + 1] ?? "";
  return { schema: nameAt(1), name: nameAt(3) };
}

function defaultOf({ type, hasDefault, shownDefault }: Column): object {
  if (!hasDefault) return {};
  const isNumber = typeof shownDefault === "number" && !/^(?:text|varchar|uuid)$/.test(type);
  if (isNumber || typeof shownDefault === "boolean") return { default: String(shownDefault) };
  if (typeof shownDefault === "string" && EXPRESSIONS.get(type)?.test(shownDefault) === true)
    return { default: shownDefault };
  return { needs: [NOT_SHOWN] };
}
