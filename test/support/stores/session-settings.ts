import type { Postgrest } from "../../services/postgrest/postgrest.ts";

/** Gives the connections of a project these settings, and all others their defaults; its open ones are closed and opened again. */
export async function setSession(
  { query }: Pick<Postgrest, "query">,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const { rows } = await query("select quote_ident(current_database()) as name");
  const role = `alter role authenticator in database ${rows[0]?.name}`;
  const set = Object.entries(settings).map(([name, value]) => `${role} set ${name} = '${value}';`);
  await query(`${role} reset all; ${set.join(" ")}`);
  await query(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'authenticator' and datname = current_database()",
  );
}
