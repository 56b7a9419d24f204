/** The SQL function that brings the sequence behind a column up to the column's values. */
export const SETVAL = "dualsync_setval";

/**
 * Answers with the last value that the sequence then has given; null where the column has no sequence of its own. The sequence
 * is never set back. It runs as its owner, for a key that may write rows may not always set sequences; writers of the table
 * wait meanwhile.
 */
export const SETVAL_SQL = `
-- Brings the sequence of a serial or identity column in schema public up to the column's values, never back.
create or replace function public.${SETVAL}(table_name text, column_name text)
returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $dualsync$
declare
  source constant text := format('public.%I', table_name);
  sequence text;
  step bigint;
  last numeric;
  reached numeric;
begin
  if not exists (
    select from pg_class c where c.oid = source::regclass and c.relkind in ('r', 'p')
  ) then
    raise exception 'not a table' using errcode = '42809';
  end if;
  sequence := pg_get_serial_sequence(source, column_name);
  if sequence is null then
    return null;
  end if;
  execute format('lock table %s in share row exclusive mode', source);
  select s.seqincrement into step from pg_sequence s where s.seqrelid = sequence::regclass;
  -- A sequence that was not asked yet gives its present value first.
  execute format('select last_value - case when is_called then 0 else %s end::numeric from %s', step, sequence) into last;
  execute format('select %s(%I) from %s', case when step > 0 then 'max' else 'min' end, column_name, source)
  into reached;
  if reached is null or (reached - last) * sign(step) <= 0 then
    return last;
  end if;
  return setval(sequence::regclass, reached::bigint);
end
$dualsync$;
`;
