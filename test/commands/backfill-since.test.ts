import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { quotaExceeded } from "../services/postgrest-answers.ts";
import { fillStorefront, rowsOf } from "../shops/storefront.ts";
import { collectionRecord } from "../support/cli.ts";
import { projectPair } from "../support/project-pair.ts";

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

it("read what is new and changed alone, and remove with --delete what is gone", async () => {
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

it("leave no gap between the last run and a later day", async () => {
  await pair.project.query("update customers set vip = not vip, updated_at = now() where visits > 20");
  const { code, stdout } = await since("2999-01-01");
  expect(code, stdout).toBe(0);
  await identical();
});

it("hold no numbers against each other where not all was counted", async () => {
  await pair.project.query("delete from customers where email = 'customer7@storefront.example'");
  const { code, stdout } = await since("last", "--verify", "counts");
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: 0, verdict: "counts match" });
});

it("read everything after a run that did not come to its end, also what it had done of the changes", async () => {
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

it("read a table as a whole whose columns are others than then", async () => {
  await pair.project.query("alter table customers add note text not null default 'none'");
  await pair.project.reload();
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")).toMatchObject({ read: CUSTOMERS, written: CUSTOMERS });
  await identical();
});

it("name a copy that has lost documents, and fill one that has lost all", async () => {
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

it("name a loss too that as many rows of the copy which are gone from the table would hide", async () => {
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

it("see what was changed after a run on a machine whose clock is fast", async () => {
  const preload = new URL("../support/fast-clock.js", import.meta.url).href;
  const fast = await pair.run(["backfill"], folder, { env: { NODE_OPTIONS: `--import=${preload}` } });
  expect(fast.code, fast.stdout + fast.stderr).toBe(0);
  await pair.project.query("update customers set vip = not vip, updated_at = now() where visits > 20");
  const { code, stdout } = await since();
  expect(code, stdout).toBe(0);
  expect(collectionRecord(stdout, "customers")?.written).toBeGreaterThan(0);
  await identical();
});

it("see rows that do not say when they were changed, and read tables whole whose times have no zone", async () => {
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
