import { expect, it } from "vitest";
import { fillStorefront } from "../../shops/storefront.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** An application that writes to the project at full speed. */
const pair = projectPair();
const CUSTOMERS = 800;
const SLOW = { SYNC_BATCH_SIZE: "50" };

/** One word goes and another comes. */
const ROTATE = `
  delete from words where word = (select min(word) from words where word > md5(random()::text));
  insert into words select md5(random()::text), 0;`;

/** Changes, adds and deletes rows of every page, as many as it adds, until it is stopped; gives how often. */
function writing(): () => Promise<number> {
  let [rounds, stopped] = [0, false];
  const work = async (): Promise<number> => {
    for (; !stopped; rounds++) {
      await pair.project.query(`
        update customers set visits = visits + 1, updated_at = now() where email like 'customer%${rounds % 100}@%';
        insert into customers (email, name) select 'new' || ${rounds} || '-' || n || '@' || gen_random_uuid(), 'N' from generate_series(1, 3) n;
        delete from customers where email like 'new${Math.max(0, rounds - 5)}-%';
        update words set n = n + 1 where word like '${(rounds % 16).toString(16)}0%';
        ${rounds % 4 === 0 ? ROTATE : ""}`);
    }
    return rounds;
  };
  const ended = work();
  return () => {
    stopped = true;
    return ended;
  };
}

it("an application that keeps writing fails no backfill, is noticed by diff, and is caught up with when it stops", {
  timeout: 120_000,
}, async () => {
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.query(`
    create table words (word text primary key, n int4);
    insert into words select md5(n::text), n from generate_series(1, 400) n`);
  await pair.project.reload();
  const run = (...args: string[]) => pair.run(args, undefined, { env: SLOW });
  const first = writing();
  const filled = await run("backfill");
  const again = await run("backfill", "--delete", "--yes");
  const since = await run("backfill", "--since", "last");
  const rounds = await first();
  for (const { code, stdout, stderr } of [filled, again, since]) expect(code, stdout + stderr).toBe(0);
  expect(rounds).toBeGreaterThan(20);
  const second = writing();
  const compared = await run("diff", "--settle", "1");
  const reversed = await run("diff", "--settle", "1", "--from", "mongodb", "--to", "supabase");
  await second();
  for (const { code, stdout } of [compared, reversed]) {
    expect([1, 12], stdout).toContain(code);
    expect(stdout).not.toMatch(/^Identical/m);
  }
  const quiet = await run("backfill", "--delete", "--yes");
  expect(quiet.code, quiet.stdout).toBe(0);
  const { code, stdout } = await run("diff");
  expect(code, stdout).toBe(0);
  const { rows } = await pair.project.query("select count(*)::int as n from customers");
  expect(await pair.to.db(pair.database).collection("customers").countDocuments()).toBe(rows[0]?.n);
});
