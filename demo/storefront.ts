import { MongoClient } from "mongodb";
import { type MongodbService, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { type Postgrest, startPostgrest } from "../test/services/postgrest/postgrest.ts";
import { fillStorefront } from "../test/shops/storefront.ts";
import { dualsync, say } from "./stage.ts";

const CUSTOMERS = 5_000;

/** A shop on Supabase and its copy in MongoDB. @returns the first exit status that is not the expected one */
export async function showStorefront(backup: MongodbService): Promise<number> {
  say("Starting PostgreSQL and a gateway that answers as a Supabase project does …");
  const project = await startPostgrest().catch((error: unknown) => {
    say("NOT RUN on this machine: PostgreSQL did not start, so the part with Supabase is left out.");
    console.error(error);
  });
  if (project === undefined) return 0;
  try {
    await fillStorefront(project.query, { customers: CUSTOMERS });
    await project.reload();
    return await show(project, backup);
  } finally {
    await project.stop();
  }
}

async function show(project: Postgrest, backup: MongodbService): Promise<number> {
  const database = "storefront";
  const env = {
    NEXT_PUBLIC_SUPABASE_URL: project.url,
    SUPABASE_SERVICE_ROLE_KEY: project.serviceKey,
    MONGODB_URI: withDatabase(backup.uri, database),
  };
  say("Tables become collections: UUIDs are ids, timestamps are dates, no digit is lost.");
  const first = await dualsync(env, "backfill");
  if (first !== 0) return first;

  say("While Supabase is away, the application writes to the copy: a Double, __v, another name.");
  await writeAsAnApplication(backup, database);
  const found = await dualsync(env, "diff");
  if (found !== 1) return found === 0 ? 1 : found;

  say("A copy that was there already is adopted: what says the same stays as it is.");
  const adopted = { ...env, MONGODB_URI: withDatabase(backup.uri, "mirror") };
  await mirror(project, backup, "mirror");
  return await dualsync(adopted, "backfill", "--into-existing", "mirror");
}

async function writeAsAnApplication(backup: MongodbService, database: string): Promise<void> {
  const client = new MongoClient(backup.uri);
  try {
    const customers = client.db(database).collection("customers");
    await customers.updateOne({ email: "customer3@storefront.example" }, { $set: { visits: 3.0, __v: 1 } });
    await customers.updateOne({ email: "customer4@storefront.example" }, { $set: { name: "Somebody else" } });
  } finally {
    await client.close();
  }
}

/** What an application's hooks leave: rows as they come through JSON, with a version of their own. */
async function mirror(project: Postgrest, backup: MongodbService, database: string): Promise<void> {
  const { rows } = await project.query("select to_jsonb(c) as row from customers c where visits < 1000");
  const client = new MongoClient(backup.uri);
  try {
    const documents = rows.map(({ row }) => {
      const { id, ...rest } = row as Record<string, unknown>;
      const [created_at, updated_at] = [rest.created_at, rest.updated_at].map((at) => new Date(String(at)));
      return { ...rest, _id: id as never, created_at, updated_at, __v: 0 };
    });
    await client.db(database).collection("customers").insertMany(documents);
  } finally {
    await client.close();
  }
}
