import { afterEach, expect, it } from "vitest";
import type { Recorded } from "../../services/postgrest/faults.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Tables that show the rows of others under a key that is unique in each of them, and not in all of them together. */
const pair = projectPair();

const INHERITED = `
create table customers (id int4 primary key, name text);
create table orders (id int4 primary key, what text);
create table orders_2023 (primary key (id)) inherits (orders);
insert into customers values (1, 'Ada'), (2, 'Bo');
insert into orders values (1, 'lamp'), (2, 'shade'), (4, 'bulb');
insert into orders_2023 values (2, 'the other shade'), (3, 'cord');
grant all on customers, orders, orders_2023 to service_role;
`;
const SENTENCE = /collection orders: the source returned 4 documents but counts 5, each time/;

afterEach(() => {
  pair.project.settings.maxRows = undefined;
});

async function fill(maxRows: number | undefined): Promise<void> {
  await pair.project.query(INHERITED);
  await pair.project.reload();
  pair.project.settings.maxRows = maxRows;
}

const held = (name: string) => pair.to.db(pair.database).collection(name).countDocuments();

it("backfill and diff name an inherited table with a row hidden by a page boundary, and the others are copied", async () => {
  // Of the five rows 1, 2, 2, 3 and 4 the second page begins behind the first 2.
  await fill(2);
  const cwd = folder();
  const copied = await pair.run(["backfill"], cwd);
  expect(copied.code, copied.stdout).toBe(3);
  expect(copied.stdout).toMatch(SENTENCE);
  expect(copied.stdout).not.toMatch(/^orders .*verified$/m);
  expect([await held("customers"), await held("orders"), await held("orders_2023")]).toEqual([2, 4, 2]);
  const compared = await pair.run(["diff"], cwd);
  expect(compared.code, compared.stdout).toBe(12);
  expect(compared.stdout).toMatch(/! collection orders/);
  expect(compared.stdout).toMatch(/the source returned 4 documents but counts 5/);
  const unverified = await pair.run(["backfill", "--verify", "none", "--restart"], cwd);
  expect(unverified.code, unverified.stdout).toBe(3);
  expect(unverified.stdout).toMatch(SENTENCE);
});

it("backfill and diff name an inherited table that returns one key twice in a page, and the others are copied", async () => {
  await fill(undefined);
  const cwd = folder();
  const copied = await pair.run(["backfill"], cwd);
  expect(copied.code, copied.stdout).toBe(3);
  expect(copied.stdout).toMatch(/collection orders: .* returns rows of orders twice/);
  expect([await held("customers"), await held("orders_2023")]).toEqual([2, 2]);
  const compared = await pair.run(["diff"], cwd);
  expect(compared.code, compared.stdout).toBe(12);
  expect(compared.stdout).toMatch(/returns rows of orders twice/);
});

it("backfill names a view whose key is not unique when it skips a row", async () => {
  await pair.project.query(`
    create domain given as int4 not null; -- which hides from the API that it is a view
    create table lines (id int4 primary key, number given, what text);
    insert into lines select n, least(n, 4), 'line ' || n from generate_series(1, 5) n;
    create view places as select number as id, what from lines;
    create function ignored() returns trigger language plpgsql as 'begin return null; end';
    create trigger instead instead of insert on places for each row execute function ignored();
    grant all on lines, places to service_role;`);
  await pair.project.reload();
  pair.project.settings.maxRows = 4;
  const copied = await pair.run(["backfill"]);
  expect(copied.code, copied.stdout).toBe(3);
  expect(copied.stdout).toMatch(/collection places: the source returned 4 documents but counts 5, each time/);
  expect(await held("lines")).toBe(5);
});

it("a table that is too large to be counted at once is counted range by range, and copied", async () => {
  await pair.project.query(`
    create table readings (id int8 primary key, value int4);
    insert into readings select n, n from generate_series(1, 45000) n;
    grant all on readings to service_role;`);
  await pair.project.reload();
  const isWholeCount = ({ path, target, headers }: Recorded): boolean =>
    path === "/readings" && /count=exact/.test(headers.prefer ?? "") && !/[?&]id=/.test(target);
  const body = JSON.stringify({ code: "57014", message: "timeout", details: null, hint: null });
  const answer = { status: 500, headers: { "Content-Type": "application/json; charset=utf-8" }, body };
  const fault = pair.fail({ on: isWholeCount, answer });
  const copied = await pair.run(["backfill"]);
  expect(copied.code, copied.stdout + copied.stderr).toBe(0);
  expect(fault.hits).toBeGreaterThan(0);
  expect(await held("readings")).toBe(45_000);
  expect((await pair.run(["diff"])).code).toBe(0);
});
