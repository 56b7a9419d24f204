import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { fillLocalAtlas } from "../../shops/local-atlas.ts";
import { fillOrders } from "../../shops/orders.ts";
import { fillSkinvault, type RunRedis } from "../../shops/skinvault.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import type { CliResult } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Whole shops that are archived, lost, and restored from the archive. */

async function ends(code: number, result: Promise<CliResult>): Promise<CliResult> {
  const done = await result;
  expect(done.code, done.stdout + done.stderr).toBe(code);
  return done;
}

/** The folder of the only archive. */
function archiveIn(cwd: string): string {
  const names = readdirSync(join(cwd, "archive"));
  expect(names).toHaveLength(1);
  return join(cwd, "archive", names[0] as string);
}

const TO = ["--to", "file:./archive"];
const FROM = ["--from", "file:./archive"];

const fillSome = (client: MongoClient, database: string) => fillOrders(client, database, { orders: 400 });

describe("shops on MongoDB", () => {
  const server = mongodbStore();

  /** Without a build option that has no effect. */
  async function shopNow(): Promise<unknown> {
    const found = JSON.stringify(await snapshot(server.client, server.database));
    return JSON.parse(found.replaceAll(String.raw`\"background\":true,`, ""));
  }

  it.each([
    ["a shop with one MongoDB", fillSome, []],
    ["a shop with one MongoDB", fillSome, ["--gzip"]],
    ["a shop with sixteen collections", fillLocalAtlas, []],
  ] as const)("%s is archived, dropped, restored and found identical (%#)", async (_, fill, flags) => {
    await fill(server.client, server.database);
    const before = await shopNow();
    const cwd = newFolder();
    await ends(0, server.run(["duplicate", ...TO, ...flags], cwd));
    const names = readdirSync(join(archiveIn(cwd), server.database));
    const end = flags.length > 0 ? ".bson.gz" : ".bson";
    expect(names.filter((name) => name.endsWith(end)).length).toBeGreaterThan(2);
    await ends(0, server.run(["diff", ...TO], cwd));
    await server.client.db(server.database).dropDatabase();
    await ends(0, server.run(["restore", ...FROM, "--apply"], cwd));
    expect(await shopNow()).toEqual(before);
    await ends(0, server.run(["diff", ...TO], cwd));
  });
});

describe("a shop on Supabase", () => {
  const pair = projectPair();

  it("is archived, emptied, restored and found identical", async () => {
    await fillStorefront((statements) => pair.project.query(statements), { customers: 120 });
    await pair.project.query(installSql());
    await pair.project.reload();
    const cwd = newFolder();
    const all =
      "select (select array_agg(c::text order by id) from customers c) as c, (select array_agg(s::text) from shop s) as s";
    const { rows: before } = (await pair.project.query(all)) as { rows: unknown };
    await ends(0, pair.run(["duplicate", ...TO], cwd));
    await ends(0, pair.run(["diff", ...TO], cwd));
    await pair.project.query("truncate customers, shop cascade");
    await ends(
      0,
      pair.run(["restore", ...FROM, "--apply", "--confirm", new URL(pair.project.url).host], cwd),
    );
    expect(((await pair.project.query(all)) as { rows: unknown }).rows).toEqual(before);
    await ends(0, pair.run(["diff", ...TO], cwd));
    // What is needed to create the tables again is kept, too.
    await pair.project.query("drop table customers, shop cascade");
    await pair.project.reload();
    const shown = await pair.run(["restore", ...FROM], cwd);
    expect(shown.stdout + shown.stderr).toMatch(/create table .*customers/);
  });
});

describe("a shop on Vercel KV", () => {
  const pair = kvPair();
  const redis: RunRedis = (...command) => pair.redis(...command);

  it("is archived, wiped, restored and found identical", async () => {
    await fillSkinvault(redis);
    const cwd = newFolder();
    const keys = ((await redis("KEYS", "*")) as Uint8Array[])
      .map((key) => Buffer.from(key).toString())
      .sort();
    const dumps = await Promise.all(keys.map(async (key) => [key, await redis("DUMP", key)]));
    await ends(0, pair.run(["duplicate", ...TO], cwd));
    await ends(0, pair.run(["diff", "--from", "kv", ...TO], cwd));
    await redis("FLUSHALL");
    await ends(0, pair.run(["restore", ...FROM, "--to", "kv", "--apply", "--confirm", pair.kv], cwd));
    expect(await Promise.all(keys.map(async (key) => [key, await redis("DUMP", key)]))).toEqual(dumps);
    await ends(0, pair.run(["diff", "--from", "kv", ...TO], cwd));
    expect(existsSync(join(archiveIn(cwd), "manifest.json"))).toBe(true);
  });

  it("does not get back what has expired since it was archived", async () => {
    await redis("SET", "kept", "1");
    const end = Date.now() + 3_000;
    await redis("SET", "short", "soon over", "PXAT", end);
    const cwd = newFolder();
    await ends(0, pair.run(["duplicate", ...TO], cwd));
    await redis("FLUSHALL");
    await expect.poll(() => Date.now(), { timeout: 10_000 }).toBeGreaterThan(end);
    const done = await ends(
      0,
      pair.run(["restore", ...FROM, "--to", "kv", "--apply", "--confirm", pair.kv], cwd),
    );
    expect(done.stdout).toContain("Left out: 1 document of the copy that has expired since.");
    expect(await redis("KEYS", "*")).toEqual([Buffer.from("kept")]);
    await ends(0, pair.run(["diff", "--from", "kv", ...TO], cwd));
  });
});
