import { type Db, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import { rawDocument } from "../../services/mongodb/raw-source.ts";
import type { Postgrest } from "../../services/postgrest/postgrest.ts";
import { fillLocalAtlas } from "../../shops/local-atlas.ts";
import { fillOrders } from "../../shops/orders.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { type CliOptions, type CliResult, dualsync, records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { hardDocuments, NOT_STORABLE, STORABLE } from "../../support/data/hard-documents.ts";
import { fillIndexes, fillOptions } from "../../support/data/kinds.ts";
import { fillMixed } from "../../support/data/mixed-database.ts";
import { EMPTY_PROJECT } from "../../support/stores/project-pair.ts";
import { sharedMongodb, sharedPostgrest } from "../../support/stores/shared-services.ts";

/**
 * What copying and comparing say of one another, over databases that are odd in every way that is known: a copy that ends
 * with 0 is followed by a comparison that ends with 0, and one that ends with 3 by one that names the same things.
 */

type Run = (command: string, ...flags: string[]) => Promise<CliResult>;

interface Odd {
  readonly name: string;
  readonly source: (db: Db) => Promise<unknown>;
  /** What is in the target before. */
  readonly target?: (db: Db) => Promise<unknown>;
  /** Flags of both commands; `--one-way` of comparing alone. */
  readonly flags?: readonly string[];
}

const raw = (cases: typeof STORABLE) => [...hardDocuments(cases).values()].map((bytes) => rawDocument(bytes));
const people = async (db: Db): Promise<void> => {
  await db.collection<{ _id: number; boss?: number }>("people").insertMany([{ _id: 1 }, { _id: 2, boss: 1 }]);
  await db.createCollection("bosses", {
    viewOn: "people",
    pipeline: [{ $lookup: { from: "people", localField: "boss", foreignField: "_id", as: "boss" } }],
  });
};

const ODD: readonly Odd[] = [
  {
    name: "a shop with orders",
    source: (db) => fillOrders(db.client as MongoClient, db.databaseName, { orders: 200 }),
  },
  {
    name: "an application with sixteen collections",
    source: (db) => fillLocalAtlas(db.client as MongoClient, db.databaseName),
  },
  { name: "a collection of each kind", source: (db) => fillMixed(db.client as MongoClient, db.databaseName) },
  { name: "an index of each kind", source: fillIndexes },
  { name: "collections with every option", source: fillOptions },
  {
    name: "documents that are hard to carry",
    source: (db) => db.collection("hard").insertMany(raw(STORABLE)),
  },
  {
    name: "documents that the target rejects",
    source(db) {
      // Others make this engine close the connection, which takes its time.
      const { "one name twice": twice = [], "flags out of order": flags = [] } = NOT_STORABLE;
      const some = { "one name twice": twice, "flags out of order": flags };
      return db.collection("hard").insertMany(raw({ ...STORABLE, ...some }));
    },
  },
  {
    name: "a collection that follows a collation",
    async source(db) {
      const names = await db.createCollection("names", { collation: { locale: "en", strength: 2 } });
      await names.insertMany([{ _id: "b" }, { _id: "A" }, { _id: "C" }] as never);
    },
  },
  {
    name: "a unique index that the copy's documents break",
    async source(db) {
      await db.collection("orders").insertMany([{ n: 1 }, { n: 2 }]);
      await db.collection("orders").createIndex({ n: 1 }, { name: "n", unique: true });
    },
    target: (db) => db.collection("orders").insertMany([{ n: 3 }, { n: 3 }]),
    flags: ["--one-way"],
  },
  {
    name: "other options and indexes in the target",
    async source(db) {
      await db.createCollection("a", { validator: { n: { $gt: 1 } } });
      await db.collection("a").createIndex({ n: 1 }, { name: "n", sparse: true });
    },
    async target(db) {
      await db.createCollection("a", { validator: { n: { $gt: 2 } } });
      await db.collection("a").createIndex({ n: 1 }, { name: "n" });
    },
  },
  {
    name: "a capped collection that somebody else made",
    async source(db) {
      const log = await db.createCollection("log", { capped: true, size: 10_000 });
      await log.insertOne({ ours: true });
    },
    async target(db) {
      const log = await db.createCollection("log", { capped: true, size: 10_000 });
      await log.insertOne({ theirs: true });
    },
  },
  { name: "views that follow a renamed collection", source: people, flags: ["--rename", "people=persons"] },
  {
    name: "a view with an uncertain source",
    async source(db) {
      await people(db);
      await db.createCollection("odd", { viewOn: "people", pipeline: [{ $unionWith: "persons" }] });
    },
    flags: ["--rename", "people=persons"],
  },
  {
    name: "names reserved for dualsync",
    async source(db) {
      await db.collection("orders").insertOne({ n: 1 });
      await db.collection("_dualsync_notes").insertOne({ n: 1 });
    },
  },
  {
    name: "a document whose copy is newer",
    source: (db) => db.collection("orders").insertOne({ _id: 1 as never, n: 1, updatedAt: new Date(1) }),
    target: (db) => db.collection("orders").insertOne({ _id: 1 as never, n: 2, updatedAt: new Date(2) }),
  },
  {
    name: "filtered collections",
    source: (db) => db.collection("orders").insertMany([{ n: 1 }, { n: 2 }]),
    flags: ["--filter", 'orders={"n":1}'],
  },
];

/** Readings whose index, which the server makes with them, was dropped. */
async function readingsWithoutIndex(db: Db): Promise<void> {
  const readings = await db.createCollection("readings", {
    timeseries: { timeField: "at", metaField: "sensor" },
  });
  await readings.insertOne({ at: new Date(1), sensor: 1 });
  await readings.dropIndex("sensor_1_at_1");
}

const ODD_DEFINITIONS: readonly Odd[] = [
  { name: "a time-series whose automatic index was dropped", source: readingsWithoutIndex },
  {
    name: "a time-series whose automatic index has another name",
    async source(db) {
      await readingsWithoutIndex(db);
      await db.collection("readings").createIndex({ sensor: 1, at: 1 }, { name: "mine" });
    },
  },
  {
    name: "a time-series whose automatic index was replaced by another of its name",
    async source(db) {
      await readingsWithoutIndex(db);
      await db.collection("readings").createIndex({ sensor: 1, at: -1 }, { name: "sensor_1_at_1" });
    },
  },
  {
    name: "a time-series that somebody else created in the target",
    source: readingsWithoutIndex,
    async target(db) {
      const options = { timeseries: { timeField: "at", metaField: "sensor" } };
      const readings = await db.createCollection("readings", options);
      await readings.insertOne({ at: new Date(1), sensor: 1 });
    },
  },
  {
    name: "a view that would read itself in the target",
    async source(db) {
      await db.collection("orders").insertOne({ n: 1 });
      await db.createCollection("few", { viewOn: "all", pipeline: [] });
    },
    target: (db) => db.createCollection("all", { viewOn: "few", pipeline: [] }),
    flags: ["--one-way"],
  },
  {
    name: "a view whose collation is not that of the view it reads in the target",
    async source(db) {
      await db.collection("orders").insertOne({ n: 1 });
      await db.createCollection("few", { viewOn: "all", pipeline: [] });
    },
    target: (db) =>
      db.createCollection("all", { viewOn: "orders", pipeline: [], collation: { locale: "fr" } }),
    flags: ["--one-way"],
  },
];

interface Said {
  readonly code: number | null;
  readonly keys: readonly string[];
}

function said({ code, stdout }: CliResult, type: "item" | "diff"): Said {
  // What only the target has, and what is accepted, is reported and does not count.
  const found = records(stdout).filter((record) => record.type === type && record.counted !== false);
  return { code, keys: [...new Set(found.map(({ key }) => String(key)))].sort() };
}

/** @returns the exit status of copying */
async function mustAgree(run: Run, command: string, copying: readonly string[], flags: readonly string[]) {
  const copied = await run(command, "--json", ...copying, ...flags.filter((flag) => flag !== "--one-way"));
  const compared = await run("diff", "--json", "--settle", "0.2", ...flags);
  const [lost, reported] = [said(copied, "item"), said(compared, "diff")];
  const words = `${copied.stdout}${copied.stderr}\n${compared.stdout}${compared.stderr}`;
  expect([0, 3], words).toContain(lost.code);
  if (lost.code === 0) expect([reported.code, lost.keys, reported.keys], words).toEqual([0, [], []]);
  else {
    expect([1, 12], words).toContain(reported.code);
    expect(reported.keys, words).toEqual(lost.keys);
  }
  return lost.code;
}

describe("duplicate and diff of MongoDB databases", () => {
  let servers: readonly [MongodbService, MongodbService];
  let clients: readonly [MongoClient, MongoClient];
  beforeAll(async () => {
    servers = await Promise.all([sharedMongodb({ rawDocuments: true }), sharedMongodb()]);
    clients = [new MongoClient(servers[0].uri), new MongoClient(servers[1].uri)];
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(servers.map((server) => server.stop()));
  });

  it.each([...ODD, ...ODD_DEFINITIONS].map((odd, number) => [odd.name, odd, number] as const))(
    "duplicate and diff agree about %s",
    { timeout: 120_000 },
    async (_, { source, target, flags = [] }, number) => {
      const database = `odd${number}`;
      await source(clients[0].db(database));
      await target?.(clients[1].db(database));
      const env = {
        LIVE: withDatabase(servers[0].uri, database),
        COPY: withDatabase(servers[1].uri, database),
      };
      const cwd = folder();
      const run: Run = (command, ...more) =>
        dualsync([command, "--from", "env:LIVE", "--to", "env:COPY", ...more], { env, cwd });
      const into = target === undefined ? [] : ["--into-existing", database];
      await mustAgree(run, "duplicate", into, flags);
      await mustAgree(run, "duplicate", [], flags); // the night after
    },
  );
});

describe("backfill and diff of a Supabase project", () => {
  let project: Postgrest;
  let server: MongodbService;
  beforeAll(async () => {
    [project, server] = await Promise.all([sharedPostgrest(), sharedMongodb()]);
  });
  afterAll(async () => {
    await Promise.all([project.stop(), server.stop()]);
  });

  const TABLES: readonly (readonly [name: string, sql: string, maxRows: number | undefined])[] = [
    ["a table without a key", "create table keyless (n int4); insert into keyless values (1);", undefined],
    [
      "an inherited table with a row that is skipped",
      `create table orders (id int4 primary key); create table old (primary key (id)) inherits (orders);
       insert into orders values (1), (2), (4); insert into old values (2), (3);`,
      2,
    ],
    [
      "an inherited table that returns a key twice at once",
      `create table orders (id int4 primary key); create table old (primary key (id)) inherits (orders);
       insert into orders values (1), (2); insert into old values (2);`,
      undefined,
    ],
    [
      "a table that may not be read",
      "create table closed (id int4 primary key); revoke select on closed from service_role;",
      undefined,
    ],
    ["an empty table", "create table nothing (id int4 primary key);", undefined],
    [
      "values that JSON or BSON cannot hold",
      `create table odd (id int4 primary key, t timestamptz, n numeric, j json, b bytea, f float8[]);
       insert into odd values (1, '2026-01-01 00:00:00.123456+00', 12.50, '{"a":1,"a":2}', '\\x00ff', '{NaN,-0,0.1}'),
         (2, 'infinity', 1e-20, 'null', null, '{}'), (3, '0044-03-15 00:00:00+00 BC', 'NaN', '[1.0]', '', null);`,
      undefined,
    ],
    [
      "an enum, a domain and a composite",
      `create type mood as enum ('n', 'N'); create domain price as numeric(10, 2); create type place as (street text, number int8);
       create table odd (id mood primary key, p price, c place, m mood[]);
       insert into odd values ('n', 1.50, row('a, b', 1), '{n,N}'), ('N', 2, null, null);`,
      undefined,
    ],
    [
      "a table and a view that has its name in the copy",
      "create table shop (id int4 primary key); create view shops as select id from shop;",
      undefined,
    ],
  ];

  it.each(TABLES)("backfill and diff agree about %s", { timeout: 60_000 }, async (name, sql, maxRows) => {
    await fillStorefront(project.query, { customers: 20 });
    if (/table shop /.test(sql)) await project.query("drop table shop");
    await project.query(sql);
    await project.query("grant select on all tables in schema public to service_role");
    if (/revoke/.test(sql)) await project.query("revoke select on closed from service_role");
    await project.reload();
    project.settings.maxRows = maxRows;
    const env = {
      NEXT_PUBLIC_SUPABASE_URL: project.url,
      SUPABASE_SERVICE_ROLE_KEY: project.serviceKey,
      MONGODB_URI: withDatabase(server.uri, `copy${TABLES.findIndex(([one]) => one === name)}`),
    };
    const options: CliOptions = { env, cwd: folder() };
    const run: Run = (command, ...flags) => dualsync([command, ...flags], options);
    try {
      await mustAgree(run, "backfill", [], []);
      await mustAgree(run, "backfill", [], []);
    } finally {
      project.settings.maxRows = undefined;
      await project.query(EMPTY_PROJECT);
      await project.query("drop type if exists mood, place cascade; drop domain if exists price cascade");
    }
  });
});
