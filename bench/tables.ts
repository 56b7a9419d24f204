// Measures how the time of a run grows with the number of tables: projects of 25, 100 and 400 tables of one row each,
// copied, copied again and compared. Not a test: nothing fails. DUALSYNC_BENCH_TABLES sets the numbers, ascending.
import { resolve } from "node:path";
import { startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { startPostgrest } from "../test/services/postgrest/postgrest.ts";
import { measured } from "./run.ts";

const COUNTS = (process.env.DUALSYNC_BENCH_TABLES ?? "25,100,400").split(",").map(Number);
const BIN = resolve("bin/dualsync.js");

const project = await startPostgrest();
const mongodb = await startMongodb();
try {
  let made = 0;
  for (const count of COUNTS) {
    while (made < count) {
      const name = `t${++made}`;
      await project.query(
        `create table ${name} (id int primary key, v text); insert into ${name} values (1, 'a')`,
      );
    }
    await project.reload();
    const env = {
      SUPABASE_URL: project.url,
      SUPABASE_SERVICE_ROLE_KEY: project.serviceKey,
      MONGODB_URI: withDatabase(mongodb.uri, `bench${count}`),
    };
    console.log(`${count} tables`);
    await run("backfill", count, env);
    await run("backfill", count, env, ", all equal");
    await run("diff", count, env, ", all equal");
  }
} finally {
  await Promise.all([project.stop(), mongodb.stop()]);
}

async function run(command: string, tables: number, env: NodeJS.ProcessEnv, state = ""): Promise<void> {
  const before = project.requests.length;
  const { seconds, cpu } = await measured(BIN, [command, "--quiet"], env);
  const each = ((project.requests.length - before) / tables).toFixed(1);
  const time = `${seconds.toFixed(1)} s, CPU ${cpu.toFixed(1)} s`;
  console.log(`  ${(command + state).padEnd(22)} ${time}, ${each} requests for each table`);
}
