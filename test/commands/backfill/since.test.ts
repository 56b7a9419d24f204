import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { quotaExceeded } from "../../services/postgrest/answer/answers.ts";
import { fillStorefront, rowsOf } from "../../shops/storefront.ts";
import { collectionRecord } from "../../support/cli.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Backfills that read only what was changed since the last one. */
const pair = projectPair();
const CUSTOMERS = 40;

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-since-"));
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.query("update customers set updated_at = now() - interval '40 days'");
  await pair.project.reload();
  expect((await pair.run(["backfill"], folder)).code).toBe(0);
  return () => rmSync(folder, { recursive: true });
});

const customers = () => pair.to.db(pair.database).collection("customers");
const since = (when = "last", ...flags: string[]) =>
  pair.run(["backfill", "--json", "--since", when, ...flags], folder);
const identical = async () => expect((await pair.run(["diff"])).code).toBe(0);

it("a --since run reads only new and changed rows, and removes deleted ones with --delete", async () => {
  await pair.project.query(`
    update customers set vip = not vip, updated_at = now() where email like 'customer2_@%';
    delete from customers where email = 'customer7@storefront.example';
    ${rowsOf(41, 43)}; update customers set updated_at = now() where email like 'customer4_@%'`);
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: 14, written: 14 });
  expect((await pair.run(["diff"])).code).toBe(1);
  expect((await since("last", "--delete", "--yes")).code).toBe(0);
  await identical();
});

it("a --since run with a later date leaves no gap after the last run", async () => {
  await pair.project.query("update customers set vip = not vip, updated_at = now() where visits > 20");
  const { code, stdout } = await since("2999-01-01");
  expect(code, stdout).toBe(0);
  await identical();
});

it("a --since run with --verify counts does not compare counts of rows that it did not read", async () => {
  await pair.project.query("delete from customers where email = 'customer7@storefront.example'");
  const { code, stdout } = await since("last", "--verify", "counts");
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: 0, verdict: "counts match" });
});

it("a --since run reads everything after a run that did not finish, even what that run had copied", async () => {
  await pair.project.query("update customers set vip = not vip, updated_at = now() where visits > 20");
  const stop = pair.fail({
    on: ({ path, target }) => path === "/shop" && /order=/.test(target),
    answer: quotaExceeded(),
  });
  expect((await since()).code).toBe(4);
  stop.stop();
  await customers().deleteMany({ visits: { $lt: 5 } });
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: CUSTOMERS });
  await identical();
});

it("a --since run reads the whole table when its columns have changed", async () => {
  await pair.project.query("alter table customers add note text not null default 'none'");
  await pair.project.reload();
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: CUSTOMERS, written: CUSTOMERS });
  await identical();
});

it("a --since run names a copy that lost documents, and refills one that lost all", async () => {
  await customers().deleteMany({ visits: { $lt: 5 } });
  const lost = await since();
  expect(lost.code).toBe(3);
  expect(lost.stdout).toMatch(
    /"collection customers".*the target holds \d+ of 40 documents: the next run reads everything/,
  );
  await customers().deleteMany({});
  expect((await since()).code).toBe(0);
  await identical();
});

it("a --since run names lost documents even if as many deleted rows would hide the loss", async () => {
  await pair.project.query("delete from customers where email like 'customer1_@%'");
  await customers().deleteMany({ email: /^customer2\d@/ });
  const { code, stdout } = await since();
  expect(code, stdout).toBe(3);
  expect(stdout).toMatch(
    /the target has lost 10 documents since the last run: the next run reads everything/,
  );
  expect((await since()).code).toBe(0);
  expect((await since("last", "--delete", "--yes")).code).toBe(0);
  await identical();
});

it("a --since run sees what changed after a run on a machine whose clock is fast", async () => {
  const preload = new URL("../../support/preload/fast-clock.js", import.meta.url).href;
  const fast = await pair.run(["backfill"], folder, { env: { NODE_OPTIONS: `--import=${preload}` } });
  expect(fast.code, fast.stdout + fast.stderr).toBe(0);
  await pair.project.query("update customers set vip = not vip, updated_at = now() where visits > 20");
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")?.written).toBeGreaterThan(0);
  await identical();
});

it("a --since run reads rows without a time, and the whole table when its times have no zone", async () => {
  await pair.project.query(`
    create table notes (id int4 primary key, updated_at timestamptz);
    create table local (id int4 primary key, updated_at timestamp default now() - interval '3 hours');
    insert into notes values (1, now() - interval '40 days'); insert into local values (1)`);
  await pair.project.reload();
  expect((await pair.run(["backfill"], folder)).code).toBe(0);
  await pair.project.query("insert into notes values (2, null); insert into local values (2)");
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "notes")).toMatchObject({ read: 1, written: 1 });
  expect(collectionRecord(stdout, "local")).toMatchObject({ read: 2, written: 1 });
  await identical();
});
