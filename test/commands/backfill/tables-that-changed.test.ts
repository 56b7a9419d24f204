import { expect, it } from "vitest";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Two tables that come into one collection, one after the other. */
const pair = projectPair();

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
