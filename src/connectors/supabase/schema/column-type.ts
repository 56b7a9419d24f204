/**
 * How values of a type are kept. `json` covers jsonb, whose text has its own style. `text` is whatever is one string on
 * the wire. `other` is a type that is not built into Postgres, an enum, a composite, one of an extension: it is kept as its
 * text, for its JSON may be what somebody's own cast makes of it.
 */
export type Kind =
  | "int2"
  | "int4"
  | "int8"
  | "numeric"
  | "float4"
  | "float8"
  | "bool"
  | "uuid"
  | "date"
  | "timestamp"
  | "timestamptz"
  | "bytea"
  | "json"
  | "jsonb"
  | "text"
  | "other";

export interface ColumnType {
  readonly kind: Kind;
  readonly isArray: boolean;
}

const KINDS: ReadonlySet<string> = new Set<Kind>([
  ...(["int2", "int4", "int8", "numeric", "float4", "float8", "bool", "uuid"] as const),
  ...(["date", "timestamp", "timestamptz", "bytea", "json", "jsonb", "text"] as const),
]);

/** Built-in types that are a string on the wire, whatever they hold. */
const STRINGS: ReadonlySet<string> = new Set([
  ...["varchar", "bpchar", "char", "name", "time", "timetz", "interval", "money", "oid", "xml"],
  ...["inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "tsvector", "tsquery", "pg_lsn"],
  ...["point", "line", "lseg", "box", "path", "polygon", "circle"],
  ...["int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"],
  ...[
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
  ],
]);

/** `type` as `Column.type` has it. */
export function columnType(type: string): ColumnType {
  const isArray = type.endsWith("[]");
  const base = isArray ? type.slice(0, -2) : type;
  if (KINDS.has(base)) return { kind: base as Kind, isArray };
  return { kind: STRINGS.has(base) ? "text" : "other", isArray };
}

/**
 * Whether a column is selected as its text: plain JSON has one null for SQL NULL and for JSON's own, arrays of JSON do not
 * say where an element ends, and of a type that is not built in JSON may hold anything.
 */
export function isSelectedAsText({ kind }: ColumnType): boolean {
  return kind === "json" || kind === "jsonb" || kind === "other";
}
