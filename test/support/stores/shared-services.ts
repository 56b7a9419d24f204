/** Servers that the test files of one worker use one after the other: to start one takes longer than most tests. */
import { MongoClient } from "mongodb";
import { type MongodbOptions, type MongodbService, startMongodb } from "../../services/mongodb/mongodb.ts";
import { type PostgresService, startPostgres } from "../../services/postgres/postgres.ts";
import { type Postgrest, type PostgrestOptions, startPostgrest } from "../../services/postgrest/postgrest.ts";

const idle = new Map<string, MongodbService[]>();
let postgres: Promise<PostgresService> | undefined;

/** A MongoDB without databases, which nobody else uses until `stop`. It ends with the worker, or when a test killed it. */
export async function sharedMongodb(options: MongodbOptions = {}): Promise<MongodbService> {
  const kind = JSON.stringify(options);
  const service = idle.get(kind)?.pop() ?? (await startMongodb(options));
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    if (await emptied(service)) idle.set(kind, [...(idle.get(kind) ?? []), service]);
    else await service.stop();
  };
  return { ...service, stop };
}

/** A project of its own, on the Postgres of this worker. */
export async function sharedPostgrest(options: PostgrestOptions = {}): Promise<Postgrest> {
  postgres ??= startPostgres();
  const server = await postgres;
  const project = await startPostgrest({ ...options, postgres: server });
  const { rows } = await project.query("select quote_ident(current_database()) as name");
  const stop = async (): Promise<void> => {
    await project.stop();
    await server.query(`drop database if exists ${rows[0]?.name} with (force)`);
  };
  return { ...project, stop };
}

/** Drops all databases; false: the server does not answer any more. */
async function emptied({ uri }: MongodbService): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2_000 });
  try {
    const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
    const own = databases.filter(({ name }) => !["admin", "config", "local"].includes(name));
    for (const { name } of own) await client.db(name).dropDatabase();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
