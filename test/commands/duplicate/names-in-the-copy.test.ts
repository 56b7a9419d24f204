import type { MongoClient } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliResult, collectionRecord, dualsync, records } from "../../support/cli.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Databases and collections whose names the copy's server does not take as they are. */
const pair = serverPair();

afterEach(async () => {
  for (const client of [pair.from, pair.to]) await dropAll(client);
});

async function dropAll(client: MongoClient): Promise<void> {
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  const own = databases.filter(({ name }) => /backup|shop/i.test(name));
  for (const { name } of own) await client.db(name).dropDatabase();
}

/** Runs a command from one database to the other. */
function run(from: string, to: string, command: string, ...flags: string[]): Promise<CliResult> {
  const env = { LIVE: withDatabase(pair.source.uri, from), COPY: withDatabase(pair.target.uri, to) };
  return dualsync([command, "--from", "env:LIVE", "--to", "env:COPY", ...flags], { env });
}

const ROOM = 255 - "shop_backup.".length;

it("collections and views with no room for their names in the copy are named, and all else is copied", async () => {
  const db = pair.from.db("shop");
  const [fits, long, view, umlauts] = [
    "a".repeat(ROOM),
    "b".repeat(ROOM + 1),
    "v".repeat(ROOM + 1),
    "ä".repeat(ROOM / 2 + 1),
  ];
  for (const name of ["orders", fits, long, umlauts])
    await db.collection(name).insertMany([{ n: 1 }, { n: 2 }]);
  await db.createCollection(view, { viewOn: "orders", pipeline: [] });
  const lost = [long, umlauts, view].map((name) => `collection ${name}`).sort();
  for (const flags of [["--dry-run"], [], []]) {
    const { code, stdout } = await run("shop", "shop_backup", "duplicate", "--json", ...flags);
    const items = records(stdout).filter(({ type }) => type === "item");
    expect([code, items.map(({ key }) => key).sort()], stdout).toEqual([3, lost]);
    for (const { reason } of items)
      expect(reason).toMatch(/has \d+ bytes, and the database shop_backup has room for 243: .*--rename/);
    const [start] = records(stdout).filter(({ type }) => type === "start");
    expect(start?.notCopied).toHaveLength(3);
  }
  const copied = (await pair.to.db("shop_backup").listCollections().toArray()).map(({ name }) => name);
  expect(copied.filter((name) => name !== "_dualsync").sort()).toEqual([fits, "orders"]);
  const compared = await run("shop", "shop_backup", "diff", "--json");
  const differences = records(compared.stdout).filter(({ type }) => type === "diff");
  expect([compared.code, differences.map(({ key }) => key).sort()]).toEqual([1, lost]);
});

it("a collection with no room for its name is copied under another one", async () => {
  const [long, longer] = ["b".repeat(ROOM + 1), "c".repeat(ROOM + 2)];
  for (const name of ["orders", "people", long])
    await pair.from.db("shop").collection(name).insertOne({ n: 1 });
  for (const command of ["duplicate", "diff"])
    expect((await run("shop", "shop_backup", command, "--rename", `${long}=short`)).code).toBe(0);
  const renamed = await run("shop", "shop_backup", "duplicate", "--rename", `orders=${longer}`);
  expect([renamed.code, renamed.stdout]).toEqual([3, expect.stringMatching(/orders: its new name has 245/)]);
  const accepted = ["--accept", "collection orders", "--accept", `collection ${long}`];
  for (const flags of [["--dry-run"], []]) {
    const all = ["--rename", `orders=${longer}`, ...accepted, ...flags];
    expect((await run("shop", "shop_backup", "duplicate", ...all)).code).toBe(0);
  }
});

it.each([
  ["Shop_backup", "shop_backup"],
  ["shop_Backup", "SHOP_BACKUP"],
  ["Läden_backup", "lÄden_Backup"],
])(
  "a copy into %s is refused where %s exists, by every command and before anything is written",
  async (name, existing) => {
    await pair.from.db("shop").collection("orders").insertOne({ n: 1 });
    await pair.to.db(existing).collection("orders").insertOne({ n: 2 });
    for (const [command = "", ...flags] of [["duplicate"], ["duplicate", "--dry-run"], ["diff"]]) {
      const { code, stderr, stdout } = await run("shop", name, command, ...flags);
      expect([code, stderr], stdout).toEqual([
        6,
        expect.stringContaining(`in other letters ("${existing}")`),
      ]);
      expect(stderr).toContain("Nothing was changed");
      expect(stderr).not.toMatch(/Run the same command again/);
      expectExplained(stderr, code);
    }
    expect(await pair.to.db(existing).listCollections().toArray()).toHaveLength(1);
  },
);

it("a source that exists in other letters is refused as well", async () => {
  await pair.from.db("shop").collection("orders").insertOne({ n: 1 });
  for (const [command = "", ...flags] of [["duplicate"], ["duplicate", "--dry-run"], ["diff"]]) {
    const { code, stderr } = await run("Shop", "shop_backup", command, ...flags);
    expect([code, stderr]).toEqual([6, expect.stringMatching(/The source .*\/Shop is .*\("shop"\)/)]);
  }
  expect(await pair.to.db("shop_backup").listCollections().toArray()).toEqual([]);
});

it("names that merely resemble one another are two databases", async () => {
  await pair.from.db("shop").collection("orders").insertOne({ n: 1 });
  await pair.to.db("store1backup").collection("orders").insertOne({ n: 2 });
  const { code, stdout } = await run("shop", "Store_backup", "duplicate", "--json");
  expect([code, collectionRecord(stdout, "orders")]).toMatchObject([0, { verdict: "verified" }]);
});

describe("servers that keep a time-series in a collection of buckets", () => {
  const old = serverPair({}, {}, { wireVersion: 25 });

  it("a time-series whose buckets have no room for their name is named, and all else is copied", async () => {
    const room = 255 - `${old.database}.system.buckets.`.length;
    const [fits, long] = ["a".repeat(room), "b".repeat(room + 1)];
    for (const name of [fits, long])
      await old.from.db(old.database).createCollection(name, { timeseries: { timeField: "at" } });
    for (const flags of [["--dry-run"], []]) {
      const { code, stdout } = await old.duplicate(...flags);
      expect([code, stdout]).toEqual([3, expect.stringMatching(/collection b+: its name has 235 bytes/)]);
    }
    const copied = (await old.to.db(old.database).listCollections().toArray()).map(({ name }) => name);
    expect(copied.filter((name) => name !== "_dualsync")).toEqual([fits]);
  });
});
