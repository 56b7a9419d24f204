/** The SQL function that returns what is needed to create tables again: see blueprint.ts for its answer. */
export const BLUEPRINTS = "dualsync_blueprints";

/**
 * Reads nothing but pg_catalog, with the rights of whoever calls it. Numbers are texts, for those of a sequence may be larger than JSON
 * readers take. Names in types and expressions are qualified, for nothing but pg_catalog is searched. `needs` names what a default, a
 * constraint or an index leans on that is neither built in, nor of an extension, nor a type or sequence of the table.
 */
export const BLUEPRINTS_SQL = `
-- What is needed to create the tables in schema public again: types, columns, defaults, constraints, indexes.
create or replace function public.${BLUEPRINTS}()
returns json
language sql stable security invoker
set search_path = pg_catalog
as $dualsync$
with recursive
shown as (
  select c.oid, c.relname, c.relkind, c.relrowsecurity
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
),
own as (
  select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity, a.attcollation
  from pg_attribute a join shown s on s.oid = a.attrelid
  where a.attnum > 0 and not a.attisdropped
),
-- Types of columns, and those behind arrays and domains.
used (head, type) as (
  select attrelid, atttypid from own
  union
  select u.head, n.type
  from used u join pg_type t on t.oid = u.type cross join lateral (values (t.typelem), (t.typbasetype)) as n (type)
  where n.type <> 0
),
sequenced as (
  select o.refobjid as head, o.refobjsubid as number, q.oid, q.relname, q.relnamespace
  from pg_depend o join pg_class q on q.oid = o.objid and q.relkind = 'S'
  where o.classid = 'pg_class'::regclass and o.refclassid = 'pg_class'::regclass and o.deptype in ('a', 'i')
    and o.refobjid in (select oid from shown)
),
parts (head, classid, objid) as (
  select adrelid, 'pg_attrdef'::regclass::oid, oid from pg_attrdef where adrelid in (select oid from shown)
  union all
  select conrelid, 'pg_constraint'::regclass, oid from pg_constraint where conrelid in (select oid from shown)
  union all
  select indrelid, 'pg_class'::regclass, indexrelid from pg_index where indrelid in (select oid from shown)
  union all
  select distinct u.head, 'pg_constraint'::regclass::oid, k.oid
  from used u join pg_constraint k on k.contypid = u.type where u.type <> 0
),
leaning as (
  select distinct p.head, p.classid, p.objid, d.refclassid, d.refobjid, d.refobjsubid, x.refobjid as extension
  from parts p join pg_depend d on d.classid = p.classid and d.objid = p.objid
  left join pg_depend x on x.classid = d.refclassid and x.objid = d.refobjid and x.refclassid = 'pg_extension'::regclass
    and x.deptype = 'e'
  where d.refclassid not in ('pg_constraint'::regclass, 'pg_namespace'::regclass, 'pg_extension'::regclass)
    and not (d.refclassid = 'pg_type'::regclass and exists (
      select from used u where u.head = p.head and u.type = d.refobjid))
    and not (d.refclassid = 'pg_class'::regclass and (
      d.refobjid = p.head or exists (select from sequenced q where q.head = p.head and q.oid = d.refobjid)
      or exists (select from pg_constraint k where p.classid = 'pg_constraint'::regclass and k.oid = p.objid and k.contype = 'f')))
),
needing as (
  select head, classid, objid, json_agg(distinct pg_describe_object(refclassid, refobjid, refobjsubid)) as needs
  from (select head, classid, objid, refclassid, refobjid, refobjsubid from leaning where extension is null) as l
  group by head, classid, objid
),
extended (head, extension) as (
  select head, extension from leaning where extension is not null
  union
  select u.head, x.refobjid
  from used u join pg_depend x on x.classid = 'pg_type'::regclass and x.objid = u.type
    and x.refclassid = 'pg_extension'::regclass and x.deptype = 'e'
),
described as (
  select o.attrelid, json_agg(json_build_object(
    'name', o.attname,
    'type', format_type(o.atttypid, o.atttypmod),
    'notNull', o.attnotnull,
    'collation', (
      select quote_ident(n.nspname) || '.' || quote_ident(l.collname)
      from pg_collation l join pg_namespace n on n.oid = l.collnamespace
      where l.oid = o.attcollation and o.attcollation <> t.typcollation),
    'generated', case o.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
    'identity', case o.attidentity when 'a' then 'always' when 'd' then 'default' end,
    'default', pg_get_expr(d.adbin, d.adrelid),
    'needs', (
      select needs from needing n where n.head = o.attrelid and n.classid = 'pg_attrdef'::regclass and n.objid = d.oid),
    'sequence', (
      select json_build_object('schema', n.nspname, 'name', q.relname, 'type', format_type(s.seqtypid, null),
        'start', s.seqstart::text, 'increment', s.seqincrement::text, 'min', s.seqmin::text, 'max', s.seqmax::text,
        'cache', s.seqcache::text, 'cycle', s.seqcycle)
      from sequenced q join pg_sequence s on s.seqrelid = q.oid join pg_namespace n on n.oid = q.relnamespace
      where q.head = o.attrelid and q.number = o.attnum order by q.oid limit 1)
  ) order by o.attnum) as columns
  from own o join pg_type t on t.oid = o.atttypid
  left join pg_attrdef d on d.adrelid = o.attrelid and d.adnum = o.attnum
  group by o.attrelid
)
select json_build_object('version', 1, 'tables', coalesce((
  select json_agg(json_strip_nulls(json_build_object(
    'schema', 'public',
    'name', s.relname,
    'rowSecurity', s.relrowsecurity,
    'partitioned', case s.relkind when 'p' then pg_get_partkeydef(s.oid) end,
    'inherits', case when exists (select from pg_inherits h where h.inhrelid = s.oid) then true end,
    'columns', coalesce(d.columns, '[]'),
    'constraints', coalesce((
      select json_agg(json_build_object(
        'name', k.conname,
        'type', k.contype,
        'definition', pg_get_constraintdef(k.oid),
        'to', case when k.contype = 'f' then (
          select json_build_object('schema', n.nspname, 'name', o.relname)
          from pg_class o join pg_namespace n on n.oid = o.relnamespace where o.oid = k.confrelid) end,
        'needs', n.needs) order by k.contype, k.conname)
      from pg_constraint k
      left join needing n on n.head = s.oid and n.classid = 'pg_constraint'::regclass and n.objid = k.oid
      where k.conrelid = s.oid and k.contype in ('p', 'u', 'c', 'x', 'f') and k.conparentid = 0), '[]'),
    'indexes', coalesce((
      select json_agg(json_build_object(
        'name', c.relname, 'definition', pg_get_indexdef(i.indexrelid), 'needs', n.needs) order by c.relname)
      from pg_index i join pg_class c on c.oid = i.indexrelid
      left join needing n on n.head = s.oid and n.classid = 'pg_class'::regclass and n.objid = i.indexrelid
      where i.indrelid = s.oid and not exists (
        select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))), '[]'),
    'types', coalesce((
      select json_agg(json_build_object(
        'schema', n.nspname,
        'name', t.typname,
        'kind', case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' else 'other' end,
        'labels', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
        'base', case t.typtype when 'd' then format_type(t.typbasetype, t.typtypmod) end,
        'notNull', case when t.typnotnull then true end,
        'default', t.typdefault,
        'checks', (
          select json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid), 'needs', m.needs)
            order by k.conname)
          from pg_constraint k
          left join needing m on m.head = s.oid and m.classid = 'pg_constraint'::regclass and m.objid = k.oid
          where k.contypid = t.oid and k.contype = 'c')
        ) order by t.oid)
      from used u join pg_type t on t.oid = u.type join pg_namespace n on n.oid = t.typnamespace
      where u.head = s.oid and n.nspname <> 'pg_catalog' and not exists (select from pg_type a where a.typarray = t.oid)
        and not exists (
          select from pg_depend x where x.classid = 'pg_type'::regclass and x.objid = t.oid
            and x.refclassid = 'pg_extension'::regclass and x.deptype = 'e')), '[]'),
    'extensions', coalesce((
      select json_agg(json_build_object('name', e.extname, 'schema', n.nspname) order by e.extname)
      from extended x join pg_extension e on e.oid = x.extension join pg_namespace n on n.oid = e.extnamespace
      where x.head = s.oid), '[]'),
    'triggers', coalesce((
      select json_agg(g.tgname order by g.tgname) from pg_trigger g where g.tgrelid = s.oid and not g.tgisinternal), '[]'),
    'policies', coalesce((
      select json_agg(p.polname order by p.polname) from pg_policy p where p.polrelid = s.oid), '[]')
  )) order by s.relname)
  from shown s left join described d on d.attrelid = s.oid
), '[]'))
$dualsync$;
`;
