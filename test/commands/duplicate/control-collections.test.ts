import type { Db } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import type { CliResult } from "../../support/cli.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** What has a name that begins with `_dualsync` is dualsync's own, also what this version has not made. */
const OWN = ["_dualsync_later", "_dualsync.log", "_dualsync_series", "_dualsync_view"];

/** Something of every kind, which is not the same on two sides. */
async function makeOwn(db: Db, n: number): Promise<void> {
  await db.collection<{ _id: number }>("_dualsync_later").insertMany([{ _id: n }, { _id: n + 1 }]);
  await db.createCollection("_dualsync.log", { capped: true, size: 4_096 * n });
  await db.createCollection("_dualsync_series", { timeseries: { timeField: "at" } });
  await db.collection("_dualsync_series").insertOne({ at: new Date(n), n });
  await db.createCollection("_dualsync_view", { viewOn: "_dualsync_later", pipeline: [{ $set: { n } }] });
}

/** What there is of it, with its documents. */
async function ownOf(db: Db): Promise<unknown> {
  const found = await db.listCollections({ name: { $in: OWN } }).toArray();
  const described = found.map(async ({ name, ...more }) => [
    name,
    JSON.stringify(more),
    await db.collection(name).find().toArray(),
  ]);
  return (await Promise.all(described)).sort();
}

function mustNotMention({ stdout, stderr }: CliResult): void {
  expect(stdout + stderr).not.toContain("_dualsync");
}

describe("control collections of two databases", () => {
  const pair = serverPair();
  const from = (): Db => pair.from.db(pair.database);
  const to = (): Db => pair.to.db(pair.database);

  it("control collections are neither copied, compared, named nor removed, on either side", async () => {
    await from()
      .collection<{ _id: number }>("orders")
      .insertMany([{ _id: 1 }, { _id: 2 }]);
    await makeOwn(from(), 1);
    await makeOwn(to(), 2);
    const [source, target] = [await ownOf(from()), await ownOf(to())];
    expect(target).toHaveLength(OWN.length);
    for (const flags of [["--dry-run"], [], ["--delete", "--yes"], ["--delete", "--yes", "--allow-shrink"]]) {
      const copied = await pair.duplicate(...flags);
      expect(copied.code, copied.stdout).toBe(0);
      mustNotMention(copied);
    }
    for (const flags of [[], ["--json"], ["--one-way"], ["--verbose"]]) {
      const compared = await pair.run(["diff", ...flags]);
      expect(compared.code, compared.stdout).toBe(0);
      mustNotMention(compared);
    }
    expect([await ownOf(from()), await ownOf(to())]).toEqual([source, target]);
  });

  it("control collections of one database do not get into the other", async () => {
    await from().collection<{ _id: number }>("orders").insertOne({ _id: 1 });
    await makeOwn(from(), 1);
    expect((await pair.duplicate()).code).toBe(0);
    expect(await ownOf(to())).toEqual([]);
    expect((await pair.run(["diff"])).code).toBe(0);
  });

  it("reserved names are rejected by --rename, and not selected by a pattern", async () => {
    await from().collection<{ _id: number }>("orders").insertOne({ _id: 1 });
    await makeOwn(from(), 1);
    for (const command of ["duplicate", "diff"])
      for (const rename of ["orders=_dualsync_orders", "_dualsync_later=orders2"]) {
        const { code, stderr } = await pair.run([command, "--rename", rename]);
        expect([code, stderr]).toEqual([
          2,
          expect.stringMatching(/"_dualsync_\w+" is reserved for dualsync/),
        ]);
      }
    expect((await pair.duplicate("--include", "_dualsync*")).code).toBe(6);
    expect(await to().listCollections().toArray()).toEqual([]);
  });
});

describe("control tables and collections of a project and a database", () => {
  const pair = projectPair();
  const to = (): Db => pair.to.db(pair.database);
  afterEach(() => to().dropDatabase());

  it("control tables and collections are neither copied, compared, named nor removed", async () => {
    await pair.project.query(`
      create table customers (id int4 primary key, name text);
      insert into customers values (1, 'Ada'), (2, 'Ben');
      create table _dualsync_later (id int4 primary key, n int4);
      insert into _dualsync_later values (1, 1), (2, 2);
      create table _dualsync_keyless (n int4);
      create view _dualsync_view as select id from customers;
    `);
    await pair.project.reload();
    await makeOwn(to(), 2);
    const before = await ownOf(to());
    for (const flags of [["--dry-run"], [], ["--delete", "--yes"], ["--since", "last"]]) {
      const copied = await pair.run(["backfill", ...flags]);
      expect(copied.code, copied.stdout + copied.stderr).toBe(0);
      mustNotMention(copied);
    }
    for (const way of [[], ["--from", "mongodb", "--to", "supabase"]]) {
      const compared = await pair.run(["diff", ...way]);
      expect(compared.code, compared.stdout + compared.stderr).toBe(0);
      mustNotMention(compared);
    }
    expect(await ownOf(to())).toEqual(before);
    const { rows } = await pair.project.query("select * from _dualsync_later order by id");
    expect(rows).toEqual([
      { id: 1, n: 1 },
      { id: 2, n: 2 },
    ]);
    const asked = pair.project.requests.map(({ path }) => path).filter((path) => path.includes("_dualsync_"));
    expect(asked).toEqual([]);
    const renamed = await pair.run(["backfill", "--rename", "customers=_dualsync_customers"]);
    expect([renamed.code, renamed.stderr]).toEqual([2, expect.stringContaining("is reserved for dualsync")]);
  });
});
