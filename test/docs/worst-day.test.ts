import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "../services/mongodb/mongodb.ts";
import type { Postgrest } from "../services/postgrest/postgrest.ts";
import { canRunRedis } from "../services/redis/redis-program.ts";
import { startUpstash, type Upstash } from "../services/upstash/upstash.ts";
import { fillOrders } from "../shops/orders.ts";
import { fillSkinvault, SKINVAULT_KEYS } from "../shops/skinvault.ts";
import { fillStorefront } from "../shops/storefront.ts";
import { BIN, type CliResult, dualsync } from "../support/cli.ts";
import { snapshot } from "../support/data/snapshot.ts";
import { sharedMongodb, sharedPostgrest } from "../support/stores/shared-services.ts";
import { commandsOf, type PageCommand, shown } from "./page-commands.ts";

/** Every command of docs/worst-day.md is typed here as the page has it, in the situation that it is for. */
const COMMANDS = commandsOf("docs/worst-day.md");

const SHOP = "ordersDB";
const VAULT = "skinvault";
const CUSTOMER = "6593c2800100000000000000";
/** What stands in the page for the id of a run, and for the reference of a project. */
const RUN = "3f9c01ab";
const PROJECT = "abcdefghijklmnopqrst";
/** And for a KV store. */
const STORE = "name.upstash.io";

interface Situation {
  /** What happened on that day. */
  before(): Promise<void>;
  /** What the reader does between two commands; `done` are the results so far. */
  between?(done: readonly CliResult[]): Promise<void>;
  /** What the page says will be there then. */
  after(done: readonly CliResult[]): Promise<void>;
}

let mongodb: MongodbService;
let client: MongoClient;
let folder: string;
/** What `.env.local` holds. */
let variables: Record<string, string>;
const projects: Postgrest[] = [];
let kv: Upstash | undefined;

beforeAll(async () => {
  mongodb = await sharedMongodb();
  client = await new MongoClient(mongodb.uri).connect();
  return async () => {
    await client.close();
    await mongodb.stop();
  };
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-worst-day-"));
  variables = {};
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  for (const name of [SHOP, `${SHOP}_backup`, "scratch", "storefront", VAULT])
    await client.db(name).dropDatabase();
  for (const project of projects.splice(0)) await project.stop();
  await kv?.stop();
  kv = undefined;
});

async function run(...args: string[]): Promise<CliResult> {
  const text = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(join(folder, ".env.local"), text.join(""));
  return await dualsync(args, { cwd: folder });
}

/** For what the situation needs and the page does not show. */
async function done(...args: string[]): Promise<CliResult> {
  const result = await run(...args);
  expect([args, result.code], result.stdout + result.stderr).toEqual([args, 0]);
  return result;
}

function collection(name: string, database = SHOP) {
  return client.db(database).collection<Document & { _id: string | number }>(name);
}

/** A shop of one MongoDB and its copy of last night. */
async function shopWithCopy(orders = 60): Promise<void> {
  variables = {
    MONGODB_URI: withDatabase(mongodb.uri, SHOP),
    SCRATCH: withDatabase(mongodb.uri, "scratch"),
  };
  await fillOrders(client, SHOP, { orders });
  await done("duplicate");
}

let night: Record<string, unknown>;

async function isAsThatNight(database = SHOP): Promise<void> {
  expect(await snapshot(client, database)).toEqual(night);
}

async function withShop(disaster: () => Promise<unknown>): Promise<void> {
  await shopWithCopy();
  night = await snapshot(client, SHOP);
  await disaster();
}

/** An empty project of which nothing is known yet. */
async function newProject(): Promise<Postgrest> {
  const project = await sharedPostgrest();
  projects.push(project);
  const { url, serviceKey } = project;
  Object.assign(variables, { NEXT_PUBLIC_SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: serviceKey });
  return project;
}

async function projectWithCopy(): Promise<Postgrest> {
  variables = { MONGODB_URI: withDatabase(mongodb.uri, "storefront") };
  const project = await newProject();
  await fillStorefront(project.query, { customers: 60 });
  await runSql(project, (await done("sql")).stdout);
  await done("backfill");
  return project;
}

/** A KV store, and its copy of last night. */
async function storeWithCopy(): Promise<Upstash["redis"]> {
  kv = await startUpstash();
  variables = {
    KV_REST_API_URL: kv.url,
    KV_REST_API_TOKEN: kv.token,
    MONGODB_URI: withDatabase(mongodb.uri, VAULT),
  };
  await fillSkinvault(kv.redis.run);
  await done("sync-kv", "--layout", "collections");
  return kv.redis;
}

/** What each key of the store holds, as the server gives it away. */
async function keysOf({ run: ask }: Upstash["redis"]): Promise<Record<string, unknown>> {
  const keys = (await ask("KEYS", "*")) as readonly Buffer[];
  const held = keys.map(async (key) => [String(key), String(await ask("DUMP", key))] as const);
  return Object.fromEntries(await Promise.all(held));
}

/** As somebody pastes it into the SQL editor. */
async function runSql(project: Postgrest, text: string): Promise<void> {
  await project.query(text);
  await project.reload();
}

async function rows(project: Postgrest, query: string): Promise<readonly unknown[]> {
  return (await project.query(query)).rows;
}

/** A run as the page shows it: the last one that this folder can undo. */
async function lastRun(): Promise<string> {
  const [, run = "none"] = /run ([0-9a-f]{8})/.exec((await done("undo", "--list")).stdout) ?? [];
  return run;
}

async function typed({ args }: PageCommand): Promise<string[]> {
  const run = args.includes(RUN) ? await lastRun() : RUN;
  const host = new URL(projects.at(-1)?.url ?? "http://nowhere").host;
  const store = new URL(kv?.url ?? "http://nowhere").host;
  return args.map((word) => word.replace(RUN, run).replace(PROJECT, host).replace(STORE, store));
}

let before: Record<string, unknown>;

const SITUATIONS: Readonly<Record<string, Situation>> = {
  "First, whatever happened": {
    before: () =>
      withShop(async () => {
        await collection("orders").deleteMany({});
        before = await snapshot(client, SHOP);
      }),
    async after() {
      expect(await snapshot(client, SHOP)).toEqual(before);
    },
  },
  "Everything is gone": {
    before: () => withShop(() => client.db(SHOP).dropDatabase()),
    after: () => isAsThatNight(),
  },
  "One collection was dropped": {
    before: () => withShop(() => collection("orders").drop()),
    after: () => isAsThatNight(),
  },
  "One customer's data": {
    before: () =>
      withShop(async () => {
        const { name } = (await customer()) ?? {};
        expect(name).toBeDefined();
        const damage = { $set: { name: "", phone: "" } };
        await collection("customers").updateOne({ email: (await customer())?.email }, damage);
      }),
    after: () => isAsThatNight(),
  },
  "Wrong values were written": {
    before: () => withShop(() => collection("customers").updateMany({}, { $set: { name: "undefined" } })),
    after: () => isAsThatNight(),
  },
  "Documents that must go": {
    before: () =>
      withShop(() =>
        collection("orders").insertMany(
          Array.from({ length: 5 }, (_, n) => ({ _id: `test ${n}`, number: -n - 1, placedAt: new Date() })),
        ),
      ),
    after: () => isAsThatNight(),
  },
  "Supabase was down": {
    async before() {
      const project = await projectWithCopy();
      const customers = collection("customers", "storefront");
      const visit = { name: "Moved meanwhile", visits: 3.5e1, updated_at: new Date(), __v: 1 };
      await customers.updateOne({ email: "customer5@storefront.example" }, { $set: visit });
      const row = { total_spent: 5, visits: 1, vip: false, payments: [], __v: 0 };
      const times = { created_at: new Date(), updated_at: new Date() };
      const _id = "9f000000-0000-4000-8000-000000000001";
      await customers.insertOne({ _id, email: "new@storefront.example", name: "New", ...row, ...times });
      await project.query(
        "update customers set name = 'Changed in the project', updated_at = now() where email = 'customer9@storefront.example'",
      );
    },
    async after() {
      const [project] = projects as [Postgrest];
      const names = "select name from customers where email ~ '^(customer5|customer9|new)@' order by email";
      expect(await rows(project, names)).toEqual(
        ["Moved meanwhile", "Changed in the project", "New"].map((name) => ({ name })),
      );
      expect(await rows(project, "select count(*)::int from customers")).toEqual([{ count: 61 }]);
    },
  },
  "A new Supabase project": {
    async before() {
      const lost = await projectWithCopy();
      before = { rows: await rows(lost, "select * from customers order by id") };
      await newProject();
    },
    async between(results) {
      const project = projects.at(-1) as Postgrest;
      const { stdout = "" } = results.at(-1) ?? {};
      if (results.length === 1) await runSql(project, stdout);
      const [, statements] = /in the SQL editor:\n([\s\S]*?\ncommit;\n)/.exec(stdout) ?? [];
      if (statements !== undefined) await runSql(project, statements);
    },
    async after() {
      const project = projects.at(-1) as Postgrest;
      expect(await rows(project, "select * from customers order by id")).toEqual(before.rows);
      expect(await rows(project, "select name from shop")).toEqual([{ name: "Marlow Lamps" }]);
      // The nights go on.
      await done("backfill");
    },
  },
  "KV was down": {
    async before() {
      const redis = await storeWithCopy();
      const meanwhile = { $set: { value: "Back at 9" } };
      await collection("notice", VAULT).updateOne({}, meanwhile);
      await collection("flash_sale", VAULT).insertOne({ _id: "flash_sale", value: { percent: 20 } });
      await redis.run("SET", "visits", "10424");
    },
    async after() {
      const values = kv && (await kv.redis.run("MGET", "notice", "flash_sale", "visits"));
      expect(String(values)).toBe('Back at 9,{"percent":20},10424');
      expect(await collection("visits", VAULT).findOne()).toMatchObject({ value: 10_424 });
    },
  },
  "KV lost its data": {
    async before() {
      const redis = await storeWithCopy();
      night = await keysOf(redis);
      expect(Object.keys(night).sort()).toEqual(SKINVAULT_KEYS);
      await redis.flush();
    },
    async after() {
      expect(kv && (await keysOf(kv.redis))).toEqual(night);
    },
  },
  "The wrong thing was restored": {
    before: () =>
      withShop(async () => {
        await collection("customers").updateMany({}, { $set: { name: "Right since this morning" } });
        await collection("orders").deleteMany({ number: { $lt: 20 } });
        before = await snapshot(client, SHOP);
        await done("restore", "--mode", "overwrite", "--apply", "--confirm", SHOP);
        expect(await snapshot(client, SHOP)).not.toEqual(before);
      }),
    async after() {
      expect(await snapshot(client, SHOP)).toEqual(before);
    },
  },
  "A restore was killed": {
    async before() {
      await shopWithCopy(3_000);
      night = await snapshot(client, SHOP);
      await client.db(SHOP).dropDatabase();
      await killedRestore();
      before = await snapshot(client, `${SHOP}_backup`);
      expect(await collection("orders").estimatedDocumentCount()).toBeLessThan(3_000);
    },
    async after(results) {
      await isAsThatNight();
      expect(results[0]?.stderr).toMatch(/The source .*ordersDB is being restored: run [0-9a-f]{8}/);
      expect(await snapshot(client, `${SHOP}_backup`)).toEqual(before);
    },
  },
  "Let the nightly job go on": {
    before: () =>
      withShop(async () => {
        await collection("orders").drop();
        await done("restore", "--apply", "--confirm", SHOP);
        await collection("orders").updateOne({}, { $set: { status: "sold after the restore" } });
        night = await snapshot(client, SHOP);
      }),
    after: () => isAsThatNight(`${SHOP}_backup`),
  },
  "Rehearse it once a month": {
    before: () => withShop(async () => undefined),
    async after() {
      await isAsThatNight("scratch");
      await isAsThatNight();
    },
  },
};

async function customer(): Promise<Document | undefined> {
  const all = await collection("customers").find().toArray();
  return all.find(({ _id }) => String(_id) === CUSTOMER);
}

/** A restore that is killed as soon as it has written some of the orders. */
async function killedRestore(): Promise<void> {
  const slowly = ["--rate", "300", "--batch-size", "50", "--include", "orders"];
  const args = [BIN, "restore", "--apply", "--confirm", SHOP, ...slowly];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: "ignore",
  });
  const ended = once(child, "close");
  for (let written = 0; child.exitCode === null && written === 0; )
    written = await collection("orders").estimatedDocumentCount();
  child.kill("SIGKILL");
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
}

it("every command of the page stands under a heading whose situation is tried here", () => {
  expect([...COMMANDS.keys()]).toEqual(Object.keys(SITUATIONS));
  expect([...COMMANDS.values()].flat().length).toBeGreaterThan(30);
});

const hasRedis = await canRunRedis();
const tried = Object.entries(SITUATIONS).filter(([heading]) => hasRedis || !heading.startsWith("KV"));

it.each(tried)("on the worst day the page is right: %s", async (heading, situation) => {
  await situation.before();
  const results: CliResult[] = [];
  for (const command of COMMANDS.get(heading) ?? []) {
    if (results.length > 0) await situation.between?.(results);
    const args = await typed(command);
    const result = await run(...args);
    const said = result.stdout + result.stderr;
    expect([args.join(" "), result.code], said).toEqual([args.join(" "), command.status]);
    for (const line of command.shows) expect(said).toMatch(shown(line));
    results.push(result);
  }
  await situation.after(results);
});
