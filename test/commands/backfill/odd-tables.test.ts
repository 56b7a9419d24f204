import { describe, expect, it } from "vitest";
import { records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Tables and views that are odd by themselves, beside one that is not. */
const pair = projectPair();

const one = (name: string) => pair.to.db(pair.database).collection(name).findOne();

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

interface Ended {
  readonly code: number | null;
  /** Keys and reasons of what was lost or could not be compared. */
  readonly named: Readonly<Record<string, string>>;
  readonly text: string;
}

async function run(...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await pair.run([...args, "--json"], folder());
  const found = records(stdout).filter(({ type }) => type === "item" || type === "diff");
  const named = found.map(({ key, reason, detail }) => [key, reason ?? detail] as const);
  return { code, named: Object.fromEntries(named), text: stdout + stderr };
}

describe("a table with more columns than an address holds", () => {
  /** The most that Postgres allows, among them every kind that is read as its text, and names that look like those of dualsync. */
  const special = "j json, b jsonb, m public.mood, a jsonb[], y bytea, t0 text, t_1 int";
  const values = `'{"a": 1, "a":2.50}', 'null', 'so''so', array['null', '[1]', null]::jsonb[], '\\x005cff', 'zero', 7`;
  const columns = Array.from({ length: 1_600 - 8 }, (_, i) => `a_name_that_is_rather_long_${i} int`);
  const wide = `create type public.mood as enum ('so''so');
    create table narrow (id int primary key, ${special}); insert into narrow values (1, ${values});
    create table wide (id int primary key, ${special}, ${columns.join(", ")});
    insert into wide values (1, ${values}); insert into wide (id) values (2)`;

  it("is copied as a table with few columns is, and compares as identical", async () => {
    await sql(wide);
    try {
      const copied = await run("backfill");
      expect([copied.code, copied.named], copied.text).toEqual([0, {}]);
      const [few, many] = [await one("narrow"), await one("wide")];
      expect(Object.keys(many ?? {}).length - Object.keys(few ?? {}).length).toBe(columns.length);
      expect(many).toMatchObject({ ...few });
      expect((await run("diff")).code).toBe(0);
      await sql("update wide set b = null where id = 1");
      const compared = await run("diff");
      expect([compared.code, Object.keys(compared.named)]).toEqual([1, ["document wide/1"]]);
    } finally {
      await pair.project.query("drop table narrow, wide; drop type public.mood");
    }
  });
});

describe("a project in which no table has a primary key", () => {
  const statements = "create table a (v int); create table b (v int); insert into a values (1)";

  it("names each of its tables, in backfill and in diff", async () => {
    await sql(statements);
    const keys = ["collection a", "collection b"];
    const copied = await run("backfill");
    expect([copied.code, Object.keys(copied.named)], copied.text).toEqual([3, keys]);
    expect(Object.values(copied.named)).toEqual(keys.map(() => expect.stringMatching(/no primary key/)));
    expect(copied.text).toMatch(/nothing was copied/);
    const compared = await run("diff");
    expect([compared.code, Object.keys(compared.named)], compared.text).toEqual([12, keys]);
    const accepted = await run("backfill", ...keys.flatMap((key) => ["--accept", key]));
    expect(accepted.code, accepted.text).toBe(0);
  });

  it("is said to have nothing to copy in words of its own once they are left out", async () => {
    await sql(statements);
    for (const command of ["backfill", "diff"]) {
      const { code, stderr } = await pair.run([command, "--exclude", "?"]);
      expect(code, stderr).toBe(6);
      expect(stderr).toMatch(command === "diff" ? /a collection to compare/ : /nothing to copy/);
      expect(stderr).toMatch(/which tables its API shows to service_role/);
    }
  });
});

describe("a name that a run prints", () => {
  it("can be excluded, whatever is the matter with it", async () => {
    await sql(`create table good (id int primary key); insert into good values (1);
      create table shop (id int primary key); insert into shop values (1);
      create table dropped (id int primary key); insert into dropped values (1)`);
    expect((await run("backfill")).code).toBe(0);
    await pair.to.db(pair.database).collection("sessions").insertOne({ at: new Date() });
    await sql(`revoke all on shop from service_role; drop table dropped;
      create table keyless (v int); create view rows_of as select count(*) from good;
      create view broken as select * from good where 1 / (id - 1) = 1`);
    const reported = ["shop", "dropped", "keyless"];
    const printed = [...reported, "broken", "rows_of", "sessions"];
    const copied = await run("backfill");
    expect([copied.code, Object.keys(copied.named).sort()]).toEqual([
      3,
      reported.map((name) => `collection ${name}`).sort(),
    ]);
    for (const name of printed) {
      expect(copied.text).toContain(name);
      const left = await run("diff", "--exclude", name);
      const rest = reported.filter((other) => other !== name).map((other) => `collection ${other}`);
      expect(Object.keys(left.named).sort(), left.text).toEqual(rest.sort());
    }
    const flags = printed.flatMap((name) => ["--exclude", name]);
    for (const command of ["backfill", "diff"]) {
      const all = await run(command, ...flags);
      expect([all.code, all.named], all.text).toEqual([0, {}]);
      const { code, stderr } = await pair.run([command, ...flags, "--exclude", "mispelt"]);
      expect([code, stderr]).toEqual([6, expect.stringMatching(/matches "mispelt"/)]);
    }
  });
});
