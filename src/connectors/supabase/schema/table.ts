/** What a project says of its tables, as far as copying them needs it. */

export interface Column {
  readonly name: string;
  /**
   * Postgres's short name of the type: int2, int4, int8, numeric, float4, float8, bool, text, varchar, bpchar, uuid, date,
   * time, timetz, timestamp, timestamptz, interval, bytea, json, jsonb …; `int4[]` for an array of any dimensions. A name
   * that Postgres has not is a type of the project's own: an enum, a domain or a composite.
   */
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  /** The default as the description shows it: JSON, or of a string's type the text of a value or of an expression. */
  readonly shownDefault?: unknown;
  /** Values of an enum, in order, where the description shows them. */
  readonly labels?: readonly string[];
  /** Its default is the next number of a sequence, which a row that brings its own does not move on. */
  readonly hasSequence?: true;
  /** Digits after the point that every value of a numeric column has; undefined: not known, or not fixed. */
  readonly scale?: number;
  /** Computed by the database from other columns: never written. Undefined: not known. */
  readonly generated?: boolean;
  /** An identity that the database alone gives (`always`), or that a row may bring (`default`). Undefined: none, or not known. */
  readonly identity?: "always" | "default" | undefined;
  /** Its text is what somebody's own cast makes of its values. Undefined: not known. */
  readonly castToText?: boolean | undefined;
}

/** A foreign key of one column. */
export interface Reference {
  readonly column: string;
  readonly table: string;
  readonly to: string;
}

/** What becomes of the rows that refer to one which is deleted. */
export type DeleteAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

/** A foreign key of any number of columns. */
export interface Relation {
  readonly columns: readonly string[];
  readonly schema: string;
  readonly table: string;
  /** The other table's columns, one for each of these. */
  readonly to: readonly string[];
  /** Undefined: an older function does not return it. */
  readonly onDelete?: DeleteAction | undefined;
}

/** A foreign key, seen from the table that it refers to. */
export interface Referrer {
  /** Of the table that refers to this one; it may be this one itself. */
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** This table's columns, one for each of those. */
  readonly to: readonly string[];
  readonly onDelete: DeleteAction;
}

/** What comes after `isView` is known only of projects that have the optional function for it. */
export interface Table {
  readonly name: string;
  /** In the table's order. */
  readonly columns: readonly Column[];
  /** Names of the primary key's columns, in the table's order; empty: it has none. */
  readonly key: readonly string[];
  readonly references: readonly Reference[];
  /** Whether it is a table that rows can be added to. */
  readonly writable: boolean;
  /** It has no rows of its own, but shows those of others. Undefined: it is a table by all that is known. */
  readonly isView?: boolean;
  /** The key's columns in the order of their index. */
  readonly keyIndex?: readonly string[];
  /** No two rows have the same key: an index that holds proves it, and no other table's rows are read with these. */
  readonly keyIsUnique?: boolean | undefined;
  /** Tells this table from every other one that its database has had. */
  readonly oid?: number;
  /** Row-level security applies to this key: rows may be hidden from it. */
  readonly hidesRows?: boolean;
  /** Columns of each unique constraint besides the key. */
  readonly unique?: readonly (readonly string[])[];
  readonly relations?: readonly Relation[];
  /** Foreign keys of any schema that refer to it. Undefined: an older function does not return them. */
  readonly referredBy?: readonly Referrer[] | undefined;
  /** Names of the triggers that fire when its rows are written or deleted. Undefined: an older function does not return them. */
  readonly triggers?: readonly string[] | undefined;
}

/** The same table as if it had no columns but those of its key. */
export function onlyKey(table: Table): Table {
  return { ...table, columns: table.columns.filter(({ name }) => table.key.includes(name)) };
}
