/** The SQL function that returns what is needed to create tables again: see blueprint.ts for its answer. */
export const BLUEPRINTS = "dualsync_blueprints";

/**
 * Reads nothing but pg_catalog, with the rights of whoever calls it. Numbers are texts, for those of a sequence may be larger than JSON
 * readers take. Names in types and expressions are qualified, for nothing but pg_catalog is searched. `needs` names what a default, a
 * constraint or an index leans on that is neither built in, nor of an extension, nor a type or sequence of the table. Each table is
 * looked at by itself, along indexes (`offset 0` keeps the planner from reading whole catalogs for each): what it costs grows with
 * their number alone, also where no statistics are there.
 */
export const BLUEPRINTS_SQL = `
-- What is needed to create the tables in schema public again: types, columns, defaults, constraints, indexes.
create or replace function public.${BLUEPRINTS}()
returns json
language sql stable security invoker
set search_path = pg_catalog
as $dualsync$
select json_build_object('version', 1, 'tables', coalesce((
  select json_agg(json_strip_nulls(blueprint.json) order by s.relname)
  from pg_class s cross join lateral (
    with recursive
    own as (
      select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity,
        a.attcollation
      from pg_attribute a where a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
    ),
    -- Types of columns, and those behind arrays and domains.
    used (type) as (
      select atttypid from own
      union
      select n.type
      from used u cross join lateral (select typelem, typbasetype from pg_type where oid = u.type offset 0) as t
      cross join lateral (values (t.typelem), (t.typbasetype)) as n (type)
      where n.type <> 0
    ),
    -- Those of serial and identity columns.
    sequenced as (
      select o.refobjsubid as number, q.oid, json_build_object(
        'schema', n.nspname, 'name', q.relname, 'type', format_type(i.seqtypid, null),
        'start', i.seqstart::text, 'increment', i.seqincrement::text, 'min', i.seqmin::text, 'max', i.seqmax::text,
        'cache', i.seqcache::text, 'cycle', i.seqcycle) as sequence
      from pg_depend o join pg_class q on q.oid = o.objid and q.relkind = 'S' join pg_sequence i on i.seqrelid = q.oid
      join pg_namespace n on n.oid = q.relnamespace
      where o.refclassid = 'pg_class'::regclass and o.refobjid = s.oid and o.classid = 'pg_class'::regclass
        and o.deptype in ('a', 'i')
    ),
    parts (classid, objid) as (
      select 'pg_attrdef'::regclass::oid, oid from pg_attrdef where adrelid = s.oid
      union all
      select 'pg_constraint'::regclass, oid from pg_constraint where conrelid = s.oid
      union all
      select 'pg_class'::regclass, indexrelid from pg_index where indrelid = s.oid
      union all
      select 'pg_constraint'::regclass, k.oid
      from used u cross join lateral (select oid from pg_constraint where contypid = u.type offset 0) as k
    ),
    leaning as (
      select p.classid, p.objid, d.refclassid, d.refobjid, d.refobjsubid, x.refobjid as extension
      from parts p cross join lateral (
        select * from pg_depend d where d.classid = p.classid and d.objid = p.objid offset 0) as d
      left join pg_depend x on x.classid = d.refclassid and x.objid = d.refobjid
        and x.refclassid = 'pg_extension'::regclass and x.deptype = 'e'
      where d.refclassid not in ('pg_constraint'::regclass, 'pg_namespace'::regclass, 'pg_extension'::regclass)
        and not (d.refclassid = 'pg_type'::regclass and d.refobjid in (select type from used))
        -- Tables, and the indexes that foreign keys lean on.
        and not (d.refclassid = 'pg_class'::regclass and (
          d.refobjid = s.oid or p.classid = 'pg_constraint'::regclass or d.refobjid in (select oid from sequenced)))
    ),
    needing as (
      select classid, objid, json_agg(distinct pg_describe_object(refclassid, refobjid, refobjsubid)) as needs
      from leaning where extension is null
      group by classid, objid
    ),
    extended (extension) as (
      select extension from leaning where extension is not null
      union
      select x.refobjid
      from used u join pg_depend x on x.classid = 'pg_type'::regclass and x.objid = u.type
        and x.refclassid = 'pg_extension'::regclass and x.deptype = 'e'
    )
    select json_build_object(
      'schema', 'public',
      'name', s.relname,
      'rowSecurity', s.relrowsecurity,
      'partitioned', case s.relkind when 'p' then pg_get_partkeydef(s.oid) end,
      'inherits', case when exists (select from pg_inherits h where h.inhrelid = s.oid) then true end,
      'columns', coalesce((
        select json_agg(json_build_object(
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
          'needs', (select needs from needing n where n.classid = 'pg_attrdef'::regclass and n.objid = d.oid),
          'sequence', (select q.sequence from sequenced q where q.number = o.attnum order by q.oid limit 1)
        ) order by o.attnum)
        from own o join pg_type t on t.oid = o.atttypid
        left join pg_attrdef d on d.adrelid = s.oid and d.adnum = o.attnum), '[]'),
      'constraints', coalesce((
        select json_agg(json_build_object(
          'name', k.conname,
          'type', k.contype,
          'definition', pg_get_constraintdef(k.oid),
          'to', case k.contype when 'f' then json_build_object('schema', r.nspname, 'name', o.relname) end,
          'needs', n.needs) order by k.contype, k.conname)
        from pg_constraint k
        left join pg_class o on o.oid = k.confrelid left join pg_namespace r on r.oid = o.relnamespace
        left join needing n on n.classid = 'pg_constraint'::regclass and n.objid = k.oid
        where k.conrelid = s.oid and k.contype in ('p', 'u', 'c', 'x', 'f') and k.conparentid = 0), '[]'),
      'indexes', coalesce((
        select json_agg(json_build_object(
          'name', c.relname, 'definition', pg_get_indexdef(i.indexrelid), 'needs', n.needs) order by c.relname)
        from pg_index i join pg_class c on c.oid = i.indexrelid
        left join needing n on n.classid = 'pg_class'::regclass and n.objid = i.indexrelid
        where i.indrelid = s.oid and not exists (
          select from pg_constraint k
          where k.conrelid = s.oid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))), '[]'),
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
            select json_agg(
              json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid), 'needs', m.needs)
              order by k.conname)
            from pg_constraint k left join needing m on m.classid = 'pg_constraint'::regclass and m.objid = k.oid
            where k.contypid = t.oid and k.contype = 'c')
          ) order by t.oid)
        from used u join pg_type t on t.oid = u.type join pg_namespace n on n.oid = t.typnamespace
        where n.nspname <> 'pg_catalog' and not (t.typtype = 'b' and t.typelem <> 0)
          and not exists (
            select from pg_depend x where x.classid = 'pg_type'::regclass and x.objid = t.oid
              and x.refclassid = 'pg_extension'::regclass and x.deptype = 'e')), '[]'),
      'extensions', coalesce((
        select json_agg(json_build_object('name', e.extname, 'schema', n.nspname) order by e.extname)
        from extended x join pg_extension e on e.oid = x.extension join pg_namespace n on n.oid = e.extnamespace), '[]'),
      'triggers', coalesce((
        select json_agg(g.tgname order by g.tgname) from pg_trigger g where g.tgrelid = s.oid and not g.tgisinternal), '[]'),
      'policies', coalesce((
        select json_agg(p.polname order by p.polname) from pg_policy p where p.polrelid = s.oid), '[]')
    ) as json
  ) as blueprint
  where s.relnamespace = 'public'::regnamespace and s.relkind in ('r', 'p') and not s.relispartition
), '[]'))
$dualsync$;
`;
