/** The SQL function that tells whether a table is still the one that was listed, for what one request costs. */
export const OID = "dualsync_oid";

/** Null: there is no such table. Postgres gives no table the number of a former one. */
export const OID_SQL = `
-- The number of a table in schema public: another one of the same name has another number.
create or replace function public.${OID}(table_name text)
returns int8
language sql stable security invoker
set search_path = pg_catalog
as $dualsync$
  select oid::int8 from pg_class where relnamespace = 'public'::regnamespace and relname = table_name::name
$dualsync$;
`;
