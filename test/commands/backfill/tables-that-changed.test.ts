import { expect, it } from "vitest";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Two tables that come into one collection, one after the other. */
const pair = projectPair();

const GONE = "drop table if exists a";
const held = (name: string) =>
  pair.to.db(pair.database).collection<{ _id: number }>(name).find().sort({ _id: 1 }).toArray();

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

it("a table is not copied into the collection of another table without --rename", async () => {
  await sql(`create table shop (id int primary key, name text, city text);
    insert into shop values (1, 'a', 'here'), (2, 'b', 'there')`);
  expect((await pair.run(["backfill"])).code).toBe(0);
  const before = await held("shops");
  expect(before).toHaveLength(2);
  // The first is no longer renamed by default, because its other name is taken.
  await sql(`create table shops (id int primary key, name text);
    insert into shops values (1, 'of another kind')`);
  const { code, stdout, stderr } = await pair.run(["backfill"]);
  expect(code, stdout).toBe(6);
  expect(stdout + stderr).toMatch(/"shops" \(2\).*"shops" is the copy of "shop"/s);
  expect(await held("shops")).toEqual(before);
  const renamed = await pair.run(["backfill", "--include", "shops", "--rename", "shops=stores"]);
  expect(renamed.code, renamed.stdout).toBe(0);
  expect(await held("stores")).toEqual([{ _id: 1, name: "of another kind" }]);
});

it("a table that was renamed or got another column is still recognized as the one that was copied", async () => {
  await sql("create table a (id int primary key, name text); insert into a values (1, 'a')");
  expect((await pair.run(["backfill"])).code).toBe(0);
  await sql("alter table a add column more int default 5");
  expect((await pair.run(["backfill"])).code).toBe(0);
  await sql("alter table a rename to b");
  const { code, stdout } = await pair.run(["backfill", "--rename", "b=a"]);
  expect(code, stdout).toBe(0);
  expect(await held("a")).toEqual([{ _id: 1, name: "a", more: 5 }]);
});

it("a table that gets another column during the run is named by backfill and diff, and the others are copied and compared", async () => {
  await sql(`create table a (id int4 primary key); insert into a values (1);
    create table b (id int4 primary key); insert into b values (1)`);
  const altered = (column: string) =>
    pair.fail({
      on: ({ target }) => /^\/rest\/v1\/a\?select=.*limit=1000/.test(target),
      times: 1,
      before: () => sql(`alter table a add column ${column} int4 default 5`),
    });
  const during = altered("x");
  const copied = await pair.run(["backfill"]);
  expect([copied.code, during.hits], copied.stdout).toEqual([3, 1]);
  expect(copied.stdout).toMatch(/collection a: the source replaced or altered it during the run/);
  expect(copied.stdout).not.toMatch(/collection b:/);
  expect([await held("a"), await held("b")]).toEqual([[{ _id: 1 }], [{ _id: 1 }]]);
  expect((await pair.run(["backfill"])).code).toBe(0);
  expect(await held("a")).toEqual([{ _id: 1, x: 5 }]);
  altered("y");
  const compared = await pair.run(["diff"]);
  expect(compared.code, compared.stdout).toBe(12);
  expect(compared.stdout).toMatch(/! .*a.*the source replaced or altered it during the run/);
});

it("a table that is dropped during the run does not count as an empty one", async () => {
  await sql(`create table a (id int4 primary key); insert into a values (1), (2);
    create table b (id int4 primary key); insert into b values (1)`);
  expect((await pair.run(["backfill"])).code).toBe(0);
  const isLast = ({ target }: { readonly target: string }) => /^\/rest\/v1\/a\?.*id=gt/.test(target);
  const answer = {
    status: 200,
    headers: { "Content-Type": "application/json; charset=utf-8", "Content-Range": "*/0" },
    body: "[]",
  };
  for (const before of [() => sql(GONE), () => pair.project.query(GONE)]) {
    for (const flags of [[], ["--delete", "--allow-shrink", "--yes"]]) {
      // What is asked after the last row, for more rows and for their number, is answered as if the table were still there.
      const dropped = pair.fail({ on: isLast, times: 2, before, answer });
      const run = await pair.run(["backfill", ...flags]);
      expect([run.code, dropped.hits], run.stdout).toEqual([4, 2]);
      expect(run.stdout + run.stderr).toMatch(
        /The collection a was dropped or replaced|does not know the table a/,
      );
      expect(await held("a")).toHaveLength(2);
      dropped.stop();
      await sql("create table a (id int4 primary key); insert into a values (1), (2)");
    }
  }
});
