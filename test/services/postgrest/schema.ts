import type { RunSql } from "../postgres/postgres.ts";
import { literal } from "./sql.ts";

export interface CachedColumn {
  readonly name: string;
  /** Postgres's name without length or precision, that of a domain's base type: `integer`, `character varying`, `public.mood`. */
  readonly type: string;
  /** As it was declared: `character varying(10)`, or a domain's own name. */
  readonly declared: string;
  readonly nullable: boolean;
  readonly default: string | null;
  readonly maxLength: number | null;
  readonly enum: readonly string[] | null;
  readonly comment: string | null;
  /** The single-column foreign key it has. */
  readonly reference: { readonly table: string; readonly column: string } | null;
}

export interface CachedTable {
  readonly name: string;
  readonly columns: readonly CachedColumn[];
  /** In the order of the key. */
  readonly key: readonly string[];
  readonly comment: string | null;
  /** Whether rows can be added, changed or deleted. */
  readonly writable: boolean;
}

export interface CachedFunction {
  readonly name: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
  }[];
  readonly set: boolean;
  /** Whether a result is a row of columns, and not one value. */
  readonly composite: boolean;
  readonly void: boolean;
  /** Whether a call may write. */
  readonly volatile: boolean;
}

/** What PostgREST knows of a schema from its start or last reload on. */
export interface SchemaCache {
  readonly schema: string;
  readonly tables: ReadonlyMap<string, CachedTable>;
  readonly functions: readonly CachedFunction[];
  readonly timezones: ReadonlySet<string>;
}

export async function readSchema(query: RunSql, schema: string): Promise<SchemaCache> {
  const read = async <Row>(sql: string): Promise<readonly Row[]> => {
    const list = `select coalesce(json_agg(x), '[]') as rows from (${sql.replace("$1", literal(schema))}) as x`;
    // Without a search path all names that are not Postgres's own come with their schema.
    const { rows } = await query(`set local search_path = ''; ${list}`);
    return rows[0]?.rows as readonly Row[];
  };
  const tables = await read<CachedTable>(TABLES);
  const functions = await read<CachedFunction>(FUNCTIONS);
  const { rows } = await query("select name from pg_timezone_names");
  return {
    schema,
    tables: new Map(tables.map((table) => [table.name, table])),
    functions,
    timezones: new Set(rows.map(({ name }) => String(name))),
  };
}

const COLUMNS = `
  select json_agg(json_build_object(
    'name', a.attname,
    'type', case when t.typtype = 'd' then format_type(t.typbasetype, null)
      else format_type(a.atttypid, case when t.typnamespace <> 'pg_catalog'::regnamespace then a.atttypmod end) end,
    'declared', format_type(a.atttypid, a.atttypmod),
    'nullable', not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)),
    'default', case when a.attidentity = 'd'
      then format('nextval(%L)', pg_get_serial_sequence(c.oid::regclass::text, a.attname)) else pg_get_expr(d.adbin, d.adrelid) end,
    'maxLength', information_schema._pg_char_max_length(
      information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)),
    'enum', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)),
    'comment', col_description(c.oid, a.attnum),
    'reference', (
      select json_build_object('table', f.relname, 'column', fa.attname)
      from pg_constraint k join pg_class f on f.oid = k.confrelid
      join pg_attribute fa on fa.attrelid = f.oid and fa.attnum = k.confkey[1]
      where k.contype = 'f' and k.conrelid = c.oid and k.conkey = array[a.attnum] limit 1)
  ) order by a.attnum)
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum and a.attgenerated = ''
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

/** The key of a table; that of a view: the columns with the names of the key of the only table it shows. */
const KEY = `
  select json_agg(a.attname order by array_position(i.indkey::int2[], a.attnum))
  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indisprimary and i.indrelid = coalesce((
    select case when count(distinct u.refobjid) = 1 then min(u.refobjid::bigint)::oid end
    from pg_rewrite w join pg_depend u on u.objid = w.oid and u.classid = 'pg_rewrite'::regclass
      and u.refclassid = 'pg_class'::regclass and u.refobjid <> c.oid
    where w.ev_class = c.oid and c.relkind in ('v', 'm')), c.oid)
  and (c.relkind not in ('v', 'm') or exists (
    select from pg_attribute b where b.attrelid = c.oid and b.attname = a.attname))`;

const TABLES = `
  select c.relname as name, coalesce((${COLUMNS}), '[]') as columns, coalesce((${KEY}), '[]') as key,
    obj_description(c.oid, 'pg_class') as comment,
    c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid, true) & 28 <> 0 as writable
  from pg_class c where c.relnamespace = quote_ident($1)::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not c.relispartition
  order by c.relname`;

const FUNCTIONS = `
  select p.proname as name, p.proretset as "set", p.prorettype = 'void'::regtype as void,
    p.provolatile = 'v' as volatile,
    t.typtype = 'c' or (p.prorettype = 'record'::regtype) as composite,
    coalesce((
      select json_agg(json_build_object('name', coalesce(p.proargnames[n], ''), 'type', format_type(p.proargtypes[n - 1], null),
        'required', n <= p.pronargs - p.pronargdefaults) order by n)
      from generate_series(1, p.pronargs) as n), '[]') as arguments
  from pg_proc p join pg_type t on t.oid = p.prorettype
  where p.pronamespace = quote_ident($1)::regnamespace and p.prokind = 'f'
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  order by p.proname`;
