import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import { fillLocalAtlas } from "../../shops/local-atlas.ts";
import { fillOrders } from "../../shops/orders.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";

/** Archives that go from dualsync to the MongoDB Database Tools and back, where these are on the PATH. */
const TOOLS = ["mongodump", "mongorestore"].every((name) => spawnSync(name, ["--version"]).status === 0);
if (!TOOLS)
  console.log("NOT RUN: archives exchanged with mongodump and mongorestore, which are not on the PATH");

function program(name: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
}

/** Names that cannot be those of files as they are. */
const NAMES = [
  ...["a/b", "per%cent", "plus+ and blank", "Case", "case", "a..b", "ümlaut", "con", 'q"u:o*t?e<>|'],
  ...["x".repeat(200), "ü".repeat(110), `${"ü".repeat(109)}u`],
];

async function fillNames(client: MongoClient, database: string): Promise<void> {
  for (const name of NAMES) {
    const collection = client.db(database).collection<{ _id: number; name: string }>(name);
    await collection.insertMany([1, 2, 3].map((_id) => ({ _id, name })));
    await collection.createIndex({ name: 1 }, { unique: false, sparse: true });
  }
}

/** What a database holds, in the order that mongodump leaves: it shuffles the members of options. */
async function content(client: MongoClient, database: string): Promise<unknown> {
  const found = await snapshot(client, database);
  return Object.fromEntries(
    Object.entries(found as Record<string, { options?: string; indexes?: readonly string[] }>).map(
      ([name, one]) => {
        // A build option that has no effect.
        const indexes = one.indexes?.map((index) => index.replace('"background":true,', ""));
        const options = one.options === undefined ? undefined : sorted(JSON.parse(one.options));
        return [name, { ...one, indexes, options }];
      },
    ),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

const SHOPS = [
  ["a shop", (client: MongoClient, database: string) => fillOrders(client, database, { orders: 400 })],
  ["a shop with sixteen collections", fillLocalAtlas],
  ["a database with odd names", fillNames],
] as const;

const DUMPS = [
  ["a folder", "dump", (place: string) => [`--out=${place}`]],
  ["a compressed folder", "dump", (place: string) => ["--gzip", `--out=${place}`]],
  ["a file", "dump", (place: string) => [`--archive=${place}`]],
  ["a compressed file", "dump", (place: string) => ["--gzip", `--archive=${place}`]],
] as const;

describe.runIf(TOOLS).each(SHOPS)("the MongoDB Database Tools, with %s,", (_, fill) => {
  const server = mongodbStore();

  const now = () => content(server.client, server.database);

  it.each([[[]], [["--gzip"]]])("restore what duplicate has archived (%j)", async (flags) => {
    await fill(server.client, server.database);
    const before = await now();
    const cwd = newFolder();
    expect((await server.run(["duplicate", "--to", "file:./archive", ...flags], cwd)).code).toBe(0);
    await server.client.db(server.database).dropDatabase();
    const [run = ""] = readdirSync(join(cwd, "archive"));
    program("mongorestore", [`--uri=${server.uri}`, ...flags, join(cwd, "archive", run)]);
    expect(await now()).toEqual(before);
  });

  it.each(DUMPS)("write %s, which restore gives back and diff finds identical", async (_, name, flags) => {
    await fill(server.client, server.database);
    const before = await now();
    const cwd = newFolder();
    program("mongodump", [`--uri=${server.uri}`, `--db=${server.database}`, ...flags(join(cwd, name))]);
    await server.client.db(server.database).dropDatabase();
    const done = await server.run(["restore", "--from", "file:./dump", "--apply"], cwd);
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(await now()).toEqual(before);
    const compared = await server.run(["diff", "--from", "file:./dump", "--to", "mongodb"], cwd);
    expect(compared.code, compared.stdout).toBe(0);
  });
});

describe.runIf(TOOLS)("a dump of several databases", () => {
  const server = mongodbStore();
  it.each(DUMPS)("as %s gives the one that is named", async (_, name, flags) => {
    await fillOrders(server.client, server.database, { orders: 40 });
    const other = `${server.database}-other`;
    await server.client.db(other).collection("orders").insertOne({ other: true });
    try {
      const before = await content(server.client, server.database);
      const cwd = newFolder();
      program("mongodump", [`--uri=${server.uri}`, ...flags(join(cwd, name))]);
      await server.client.db(server.database).dropDatabase();
      const [unnamed, named] = ["file:./dump", `file:./dump/${server.database}`];
      expect((await server.run(["restore", "--from", unnamed, "--apply"], cwd)).code).toBe(2);
      const done = await server.run(["restore", "--from", named, "--apply"], cwd);
      expect(done.code, done.stdout + done.stderr).toBe(0);
      expect(await content(server.client, server.database)).toEqual(before);
    } finally {
      await server.client.db(other).dropDatabase();
    }
  });
});
