/** What a project needs before dualsync writes to it: run once, by a person, in the project's SQL editor. */

import { CONTROL_NAME } from "../../control/control-name.ts";
import { LEASE_MS } from "../../lease/lease-renewal.ts";
import { identifier } from "../api/grants.ts";

/** The control table: the lease, and who filled what from where. */
export const CONTROL_TABLE = CONTROL_NAME;

/** Functions that change it; all else may only read it. Each decides and acts in one statement. */
export const LEASE_FUNCTIONS = {
  claim: "dualsync_claim",
  renew: "dualsync_renew",
  release: "dualsync_release",
  note: "dualsync_note",
} as const;

/**
 * The statements, for this schema; they may be run again. Times are the database's own. The functions run as whoever
 * installs them, so that the API's role can change the table only through them.
 */
export function leaseSql(schema: string): string {
  const own = `${identifier(schema)}.${CONTROL_TABLE}`;
  const { claim, renew, release, note } = LEASE_FUNCTIONS;
  const mine = "t.id = 'lease' and t.content->>'nonce' = nonce";
  const until = `clock_timestamp() + interval '${LEASE_MS / 1000} seconds'`;
  const functions: readonly (readonly [name: string, parameters: string, returns: string, body: string])[] = [
    [
      claim,
      "holder jsonb, over text",
      "jsonb",
      `
  insert into ${own} as t (id, content, since, until)
    values ('lease', holder, clock_timestamp(), ${until})
    on conflict (id) do update set content = excluded.content, since = excluded.since, until = excluded.until
    where t.until is null or t.until < clock_timestamp()
      or t.content->>'nonce' = over or t.content->>'nonce' = holder->>'nonce';
  return (select jsonb_build_object('holder', t.content, 'since', t.since) from ${own} t where t.id = 'lease');`,
    ],
    [
      renew,
      "nonce text",
      "boolean",
      `
  update ${own} t set until = ${until} where ${mine};
  return found;`,
    ],
    [
      release,
      "nonce text",
      "boolean",
      `
  delete from ${own} t where ${mine};
  return found;`,
    ],
    [
      note,
      "nonce text, name text, content jsonb",
      "boolean",
      `
  perform from ${own} t where t.id = 'lease' and t.content->>'nonce' = ${note}.nonce for update;
  if not found then
    return false;
  end if;
  insert into ${own} as t (id, content) values (${note}.name, ${note}.content)
    on conflict (id) do update set content = excluded.content;
  return true;`,
    ],
  ];
  return [
    `create table if not exists ${own} (id text primary key, content jsonb not null, since timestamptz, until timestamptz);`,
    `alter table ${own} enable row level security;`,
    `revoke all on table ${own} from public, anon, authenticated, service_role;`,
    `grant select on table ${own} to service_role;`,
    ...functions.map(([name, parameters, returns, body]) =>
      functionSql(schema, name, parameters, returns, body),
    ),
    "notify pgrst, 'reload schema';",
  ].join("\n");
}

function functionSql(
  schema: string,
  name: string,
  parameters: string,
  returns: string,
  body: string,
): string {
  const qualified = `${identifier(schema)}.${name}`;
  const types = parameters
    .split(", ")
    .map((parameter) => parameter.split(" ")[1])
    .join(", ");
  return `
create or replace function ${qualified}(${parameters}) returns ${returns}
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin${body}
end $$;
revoke all on function ${qualified}(${types}) from public, anon, authenticated;
grant execute on function ${qualified}(${types}) to service_role;
`.trim();
}
