import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Db } from "mongodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { fillLocalAtlas } from "../../shops/local-atlas.ts";
import { fillOrders } from "../../shops/orders.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { type CliResult, dualsync } from "../../support/cli.ts";
import { dropEverythingOn, everyRowOf } from "../../support/data/everything.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { projectPair } from "../../support/stores/project-pair.ts";
import { runOf } from "../../support/undo-folder.ts";

/** The nights after a restore: cron's commands go on as before, without a flag, and every one ends with 0. */
const pair = serverPair();
const shop = projectPair();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([pair.from, pair.to, shop.to].map(dropEverythingOn));
});

/** One of the shops: what its cron runs, and what may happen to its original. */
interface Shop {
  readonly command: "duplicate" | "backfill";
  readonly env: () => Readonly<Record<string, string>>;
  /** What the restore is confirmed with. */
  readonly name: () => string;
  readonly copy: () => string;
  readonly scratch: () => string;
  fill(): Promise<unknown>;
  /** Some documents are gone, and some are changed. */
  damage(): Promise<void>;
  /** A whole collection, or all rows of a table, is gone. */
  lose(): Promise<void>;
  /** The shop goes on. */
  sell(): Promise<void>;
  contents(): Promise<unknown>;
}

const live = (): Db => pair.from.db(pair.database);

async function damageOrders(collection: string): Promise<void> {
  const some = live().collection(collection);
  const ids = (
    await some
      .find({}, { projection: { _id: 1 } })
      .limit(6)
      .toArray()
  ).map(({ _id }) => _id);
  await some.deleteMany({ _id: { $in: ids.slice(0, 3) } });
  await some.updateMany({ _id: { $in: ids.slice(3) } }, { $set: { damaged: true } });
}

const orders: Shop = {
  command: "duplicate",
  env: () => ({ MONGODB_URI: withDatabase(pair.source.uri, pair.database) }),
  name: () => pair.database,
  copy: () => withDatabase(pair.source.uri, `${pair.database}_backup`),
  scratch: () => withDatabase(pair.source.uri, "scratch"),
  fill: () => fillOrders(pair.from, pair.database, { orders: 150 }),
  damage: () => damageOrders("customers"),
  lose: async () => void (await live().collection("orders").drop()),
  sell: async () => void (await live().collection("settings").insertOne({ theme: "dark" })),
  contents: () => snapshot(pair.from, pair.database),
};

const localAtlas: Shop = {
  ...orders,
  env: () => ({
    MONGODB_LOCAL_URI: withDatabase(pair.source.uri, pair.database),
    MONGODB_ATLAS_URI: withDatabase(pair.target.uri, pair.database),
    SYNC_BATCH_SIZE: "100",
  }),
  copy: () => withDatabase(pair.target.uri, pair.database),
  fill: () => fillLocalAtlas(pair.from, pair.database),
  damage: () => damageOrders("users"),
  lose: async () => void (await live().collection("enrolments").drop()),
  sell: async () => void (await live().collection("users").insertOne({ email: "nora@shop.example" })),
};

const storefront: Shop = {
  command: "backfill",
  env: () => ({
    NEXT_PUBLIC_SUPABASE_URL: shop.project.url,
    SUPABASE_SERVICE_ROLE_KEY: shop.project.serviceKey,
    MONGODB_URI: withDatabase(shop.mongodb.uri, shop.database),
  }),
  name: () => new URL(shop.project.url).host,
  copy: () => withDatabase(shop.mongodb.uri, shop.database),
  scratch: () => withDatabase(shop.mongodb.uri, "scratch"),
  async fill() {
    await fillStorefront(shop.project.query, { customers: 60 });
    await shop.project.query(installSql());
    await shop.project.reload();
  },
  damage: async () =>
    void (await shop.project.query(
      "delete from customers where visits % 20 = 3; update customers set name = 'damaged' where visits % 20 = 4",
    )),
  lose: async () => void (await shop.project.query("delete from shop; delete from customers")),
  sell: async () =>
    void (await shop.project.query("insert into customers (email) values ('nora@shop.example')")),
  async contents() {
    const { _dualsync, ...rows } = await everyRowOf(shop.project);
    return rows;
  },
};

const SHOPS = [
  ["one MongoDB", orders],
  ["a local MongoDB and Atlas", localAtlas],
  ["a Supabase project", storefront],
] as const;

function run(of: Shop, args: readonly string[]): Promise<CliResult> {
  return dualsync(args, { cwd: folder, env: { ...of.env(), SCRATCH: of.scratch() } });
}

async function ok(of: Shop, ...args: string[]): Promise<CliResult> {
  const result = await run(of, args);
  expect(result.code, [args.join(" "), result.stdout, result.stderr].join("\n")).toBe(0);
  return result;
}

/** What cron runs. */
async function night(of: Shop): Promise<void> {
  await ok(of, of.command, "--delete", "--yes");
  await ok(of, "diff");
}

const restore = (of: Shop) =>
  ok(of, "restore", "--json", "--mode", "overwrite", "--apply", "--confirm", of.name());

it.each(SHOPS)(
  "the nights of %s go on after a restore, and after a second one",
  { timeout: 120_000 },
  async (_, of) => {
    await of.fill();
    await night(of);
    const wanted = await of.contents();
    await of.damage();
    await of.lose();
    await restore(of);
    expect(await of.contents()).toEqual(wanted);
    await night(of);
    await of.sell();
    await night(of);
    const later = await of.contents();
    await of.lose();
    await restore(of);
    expect(await of.contents()).toEqual(later);
    await ok(of, of.command);
    await night(of);
  },
);

it.each(SHOPS)(
  "the nights of %s go on after a restore that was undone",
  { timeout: 120_000 },
  async (_, of) => {
    await of.fill();
    await night(of);
    await of.damage();
    const damaged = await of.contents();
    const done = runOf(await restore(of));
    await ok(of, "undo", done, "--yes");
    expect(await of.contents()).toEqual(damaged);
    await ok(of, of.command);
    await night(of);
    expect(await of.contents()).toEqual(damaged);
  },
);

it.each(SHOPS)(
  "the nights of %s go on after a rehearsal in a scratch database",
  { timeout: 120_000 },
  async (_, of) => {
    await of.fill();
    await night(of);
    await ok(of, "restore", "--to", "env:SCRATCH", "--apply");
    const places = { SCRATCH: of.scratch(), COPY: of.copy() };
    const { code, stdout, stderr } = await dualsync(["diff", "--from", "env:SCRATCH", "--to", "env:COPY"], {
      cwd: folder,
      env: places,
    });
    expect(code, stdout + stderr).toBe(0);
    await night(of);
    await of.sell();
    await night(of);
    const second = await run(of, ["restore", "--to", "env:SCRATCH", "--mode", "overwrite", "--apply"]);
    expect(second.code).toBe(6);
    const over = await dualsync(["duplicate", "--from", "env:SCRATCH", "--to", "env:COPY"], {
      cwd: folder,
      env: places,
    });
    expect([over.code, over.stderr]).toEqual([6, expect.stringMatching(/error: /)]);
    await ok(of, "restore", "--to", "env:SCRATCH", "--mode", "overwrite", "--apply", "--confirm", "scratch");
    await night(of);
  },
);
