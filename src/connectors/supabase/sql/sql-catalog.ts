/** The SQL function that returns what the description of a project's API lacks: see catalog-facts.ts for its answer. */
export const CATALOG = "dualsync_catalog";

/**
 * Reads nothing but pg_catalog and settings, with the rights of whoever calls it; the settings are the caller's. `type` is that
 * behind a domain, with its modifiers; `key` is in the order of its index, and unique where that index holds and no other table's rows
 * are among these; `hidesRows` says whether row-level security applies to the caller, `castToText` whether a function that no extension
 * brought makes the type's text. A table's family is itself and what inherits from it, partitions included: their rows are read with
 * its own. A partition that refers to a table is named by its root, which alone is exposed.
 */
export const CATALOG_SQL = `
-- Facts of the tables in schema public: types, keys, constraints, identity columns, row-level security, triggers, and
-- which tables refer to them. And how the caller's settings print values.
create or replace function public.${CATALOG}()
returns json
language sql stable security invoker
set search_path = pg_catalog
as $dualsync$
with recursive
unwrapped (domain, base, modifier) as (
  select oid, typbasetype, typtypmod from pg_type where typtype = 'd'
  union all
  select u.domain, t.typbasetype, case when u.modifier < 0 then t.typtypmod else u.modifier end
  from unwrapped u join pg_type t on t.oid = u.base
  where t.typtype = 'd'
),
bases as (
  select u.* from unwrapped u join pg_type t on t.oid = u.base where t.typtype <> 'd'
),
shown as (
  select c.oid, c.relname, c.relkind
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
),
family (head, member) as (
  select oid, oid from shown
  union
  select f.head, h.inhrelid from family f join pg_inherits h on h.inhparent = f.member
),
described as (
  select a.attrelid, json_agg(json_build_object(
    'name', a.attname,
    'type', format_type(coalesce(b.base, a.atttypid), coalesce(b.modifier, a.atttypmod)),
    'generated', a.attgenerated <> '',
    'castToText', exists (
      select from pg_cast c
      where c.castsource = coalesce(b.base, a.atttypid) and c.casttarget = 'text'::regtype and c.castmethod = 'f'
        and not exists (
          select from pg_depend p where p.classid = 'pg_cast'::regclass and p.objid = c.oid and p.deptype = 'e')),
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'default' end
  ) order by a.attnum) as columns
  from pg_attribute a
  join shown s on s.oid = a.attrelid
  left join bases b on b.domain = a.atttypid
  where a.attnum > 0 and not a.attisdropped
  group by a.attrelid
),
bound as (
  select k.oid, k.conrelid, k.contype, k.confrelid,
    case k.confdeltype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
      when 'n' then 'set null' when 'd' then 'set default' end as "onDelete",
    (select json_agg(a.attname order by n.place)
      from unnest(k.conkey) with ordinality as n (number, place)
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number) as columns,
    (select json_agg(a.attname order by n.place)
      from unnest(k.confkey) with ordinality as n (number, place)
      join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.number) as others
  from pg_constraint k
  where k.contype in ('p', 'u', 'f') and k.conparentid = 0
    and (k.conrelid in (select oid from shown) or k.confrelid in (select member from family))
)
select json_build_object('version', 1, 'settings', (
  select json_object_agg(name, current_setting(name, true))
  from unnest(array['extra_float_digits', 'DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'lc_monetary']) as name
), 'tables', coalesce((
  select json_agg(json_build_object(
    'name', s.relname,
    'oid', s.oid::int8,
    'kind', s.relkind,
    'hidesRows', row_security_active(s.oid),
    'columns', coalesce(d.columns, '[]'),
    'key', coalesce((select columns from bound where conrelid = s.oid and contype = 'p'), '[]'),
    'keyIsUnique', s.relkind in ('r', 'p')
      and exists (select from pg_index i where i.indrelid = s.oid and i.indisprimary and i.indisvalid)
      and (s.relkind = 'p' or not exists (select from pg_inherits h where h.inhparent = s.oid)),
    'unique', coalesce((
      select json_agg(columns order by oid) from bound where conrelid = s.oid and contype = 'u'), '[]'),
    'references', coalesce((
      select json_agg(json_build_object(
        'columns', b.columns, 'schema', n.nspname, 'table', o.relname, 'to', b.others, 'onDelete', b."onDelete")
        order by b.oid)
      from bound b join pg_class o on o.oid = b.confrelid join pg_namespace n on n.oid = o.relnamespace
      where b.conrelid = s.oid and b.contype = 'f'), '[]'),
    'referredBy', coalesce((
      select json_agg(json_build_object(
        'columns', b.columns, 'schema', n.nspname, 'table', o.relname, 'to', b.others, 'onDelete', b."onDelete")
        order by b.oid)
      from family f join bound b on b.confrelid = f.member and b.contype = 'f'
      join pg_class o on o.oid = coalesce(pg_partition_root(b.conrelid), b.conrelid)
      join pg_namespace n on n.oid = o.relnamespace
      where f.head = s.oid), '[]'),
    'triggers', coalesce((
      select json_agg(distinct g.tgname order by g.tgname)
      from family f join pg_trigger g on g.tgrelid = f.member
      -- On insert, delete or update; those that fire only on a replica do not fire here.
      where f.head = s.oid and not g.tgisinternal and g.tgenabled in ('O', 'A') and g.tgtype & 28 <> 0), '[]')
  ) order by s.relname)
  from shown s left join described d on d.attrelid = s.oid
), '[]'))
$dualsync$;
`;
