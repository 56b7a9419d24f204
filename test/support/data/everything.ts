import { createHash } from "node:crypto";
import type { MongoClient } from "mongodb";
import type { Postgrest } from "../../services/postgrest/postgrest.ts";
import { contents, snapshot } from "./snapshot.ts";

const OWN = ["admin", "config", "local"];

/** All that a server holds, database by database: documents by hash, indexes, options, and what dualsync keeps there. */
export async function everythingOn(client: MongoClient): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of await databasesOn(client)) {
    found[name] = {
      ...(await snapshot(client, name)),
      _dualsync: await contents(client, name, "_dualsync"),
    };
  }
  return found;
}

/** The names of all databases but the server's own, sorted. */
export async function databasesOn(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  return databases
    .map(({ name }) => name)
    .filter((name) => !OWN.includes(name))
    .sort();
}

export async function dropEverythingOn(client: MongoClient): Promise<void> {
  for (const name of await databasesOn(client)) await client.db(name).dropDatabase();
}

/** The hash of every row of every table, as Postgres itself prints them, and what dualsync keeps there. */
export async function everyRowOf({ query }: Postgrest): Promise<Record<string, string>> {
  const tables = await query(
    "select tablename as name, quote_ident(tablename) as quoted from pg_tables where schemaname = 'public' order by 1",
  );
  const found: Record<string, string> = {};
  for (const { name, quoted } of tables.rows) {
    const { rows } = await query(`select t::text as row from public.${quoted} t order by 1`);
    found[String(name)] = createHash("sha256")
      .update(rows.map(({ row }) => String(row)).join("\n"))
      .digest("hex");
  }
  return found;
}
