/** The SQL function that hashes rows where they are: row-hash.ts computes the same of documents. */
export const DIGEST = "dualsync_digest";

/**
 * Rows from one key (included) to another (not included), in the order of the key, in about as many pieces as asked for, none of
 * them empty. A row's text is what PostgREST sends for the same columns: `as_text` names those that are selected as text. A
 * piece's `sha256` is that of the SHA-256s of its rows' texts, one after the other; `from` is its first key. It runs with the
 * rights of whoever calls it: it hashes no row that the caller could not read.
 */
export const DIGEST_SQL = `
-- Hashes of consecutive rows of a table in schema public, so that equal rows need not be sent.
create or replace function public.${DIGEST}(
  table_name text,
  columns text[],
  as_text text[],
  key_columns text[],
  from_key text[] default null,
  to_key text[] default null,
  pieces integer default 1
)
returns json
language plpgsql stable security invoker
set search_path = pg_catalog
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
as $dualsync$
declare
  source constant text := format('public.%I', table_name);
  chosen text;
  keys text;
  named text;
  texts text;
  bounds text := 'true';
  result json;
begin
  select string_agg(
    case when c.name = any (as_text) then format('t.%1$I::text as %1$I', c.name) else format('t.%I', c.name) end,
    ', ' order by c.place)
  into chosen
  from unnest(columns) with ordinality as c (name, place);

  select string_agg(format('t.%I as k%s', k.name, k.place), ', ' order by k.place),
    string_agg(format('k%s', k.place), ', ' order by k.place),
    string_agg(format('c.k%s::text', k.place), ', ' order by k.place)
  into keys, named, texts
  from unnest(key_columns) with ordinality as k (name, place);

  select bounds || coalesce(string_agg(format(' and (%s) %s (%s)', b.held, b.sign, b.literals), ''), '')
  into bounds
  from (
    select e.sign,
      string_agg(format('t.%I', k.name), ', ' order by k.place) as held,
      string_agg(format('%L::%s', k.value, format_type(a.atttypid, null)), ', ' order by k.place) as literals
    from (values ('>=', from_key), ('<', to_key)) as e (sign, bound)
    cross join unnest(key_columns, e.bound) with ordinality as k (name, value, place)
    join pg_attribute a on a.attrelid = source::regclass and a.attname = k.name
    where e.bound is not null
    group by e.sign
  ) as b;

  execute format($query$
    with hashed as materialized (
      select %2$s, sha256(line) as hash, octet_length(line)::int8 as bytes
      from (
        select %1$s, convert_to(row_to_json(r)::text, 'UTF8') as line
        from %4$s t cross join lateral (select %3$s) as r
        where %5$s
        offset 0
      ) as lines
    ),
    placed as materialized (
      select *, row_number() over w as place, ntile(%7$s) over w as piece
      from hashed window w as (order by %2$s)
    ),
    cut as (
      select piece, min(place) as first, count(*) as number, sum(bytes) as bytes,
        sha256(string_agg(hash, ''::bytea order by place)) as hash
      from placed group by piece
    )
    select coalesce(json_agg(json_build_object(
      'from', json_build_array(%6$s), 'rows', p.number, 'bytes', p.bytes, 'sha256', encode(p.hash, 'hex')
    ) order by p.piece), '[]')
    from cut p join placed c on c.place = p.first
  $query$, keys, named, chosen, source, bounds, texts, greatest(1, pieces))
  into result;
  return result;
end
$dualsync$;
`;
