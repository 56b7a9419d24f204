import { Binary, type Document, Long } from "mongodb";
import { describe, expect, it } from "vitest";
import { fillStorefront, rowsOf } from "../../shops/storefront.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

const pair = projectPair();

async function fill(customers = 300): Promise<void> {
  await fillStorefront(pair.project.query, { customers });
  await pair.project.reload();
}

const collection = (name: string) => pair.to.db(pair.database).collection<Document & { _id: string }>(name);
const raw = { promoteValues: false, promoteBuffers: false, promoteLongs: false } as const;

describe("backfill", () => {
  it("copies the tables of the project that the environment names, reads them back, and has nothing to do again", async () => {
    await fill();
    const first = await pair.run(["backfill"]);
    expect(first.code, first.stdout + first.stderr).toBe(0);
    expect(first.stdout).toMatch(/shop → shops\s+1 /);
    expect(first.stdout).toMatch(/Done: 301 documents written, 0 documents unchanged; read back and equal/);
    const second = await pair.run(["backfill"]);
    expect(second.stdout).toMatch(/Done: 0 documents written, 301 documents unchanged/);
    expect(await collection("customers").countDocuments()).toBe(300);
    expect(await collection("shop").countDocuments()).toBe(0);
  });

  it("keeps names, makes UUIDs ids and timestamps dates, and rounds no number", async () => {
    await fill();
    await pair.run(["backfill"]);
    const big = await collection("customers").findOne({ email: "customer50@storefront.example" }, raw);
    expect(big).toMatchObject({
      _id: expect.stringMatching(/^[0-9a-f]{8}-/),
      visits: Long.fromString("9007199254741043"),
      updated_at: new Date("2026-01-01T08:50:00.123Z"),
      _ds: { updated_at: "2026-01-01T08:50:00.123456+00:00" },
    });
    expect(Object.keys(big ?? {})).not.toContain("id");
    const plain = await collection("customers").findOne({ email: "customer12@storefront.example" });
    expect(plain).toEqual({
      _id: expect.any(String),
      ...{ email: "customer12@storefront.example", name: "Customer 12", total_spent: 4.44, visits: 12 },
      ...{ vip: false, payments: [], tags: [], born: "1960-01-13" },
      created_at: new Date("2025-01-01T09:24:00Z"),
      updated_at: new Date("2026-01-01T08:12:00.250Z"),
    });
  });

  it("writes changed rows, and removes deleted ones with --delete", async () => {
    await fill(40);
    await pair.run(["backfill"]);
    await pair.project.query(`
      update customers set vip = not vip, updated_at = now() where email like 'customer2_@%';
      delete from customers where email = 'customer7@storefront.example';
      ${rowsOf(41, 43)}`);
    const kept = await pair.run(["backfill"]);
    expect(kept.stdout).toMatch(/Done: 13 documents written, 30 documents unchanged/);
    expect(await collection("customers").countDocuments()).toBe(43);
    const removed = await pair.run(["backfill", "--delete", "--yes"]);
    expect(removed.code, removed.stdout).toBe(0);
    expect(await collection("customers").countDocuments({})).toBe(42);
    expect((await pair.run(["diff"])).stdout).toMatch(/^Identical/m);
  });

  it("shows its plan with --dry-run, and writes nothing", async () => {
    await fill(10);
    const { code, stdout } = await pair.run(["backfill", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/customers\s+10 .*create/);
    expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
  });

  it("copies only the included tables, under their new names", async () => {
    await fill(10);
    const { code } = await pair.run(["backfill", "--include", "shop", "--rename", "shop=store"]);
    expect(code).toBe(0);
    const names = (await pair.to.db(pair.database).listCollections().toArray()).map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith("_"))).toEqual(["store"]);
  });

  it("copies keys of every kind, including composite ones, and finds each row again", async () => {
    await pair.project.query(`
      create table lines (shop int4, code text, qty numeric, primary key (shop, code));
      insert into lines select n % 5, 'ä"\\,() ' || n, n / 4.0 from generate_series(1, 60) n;
      create table logs (id int8 primary key, at timestamptz, note json);
      insert into logs select n * 1000000007::int8, now(), '{"a":  1, "a": 2}' from generate_series(-20, 20) n;
      create table labels (name text collate "C" primary key, hue bytea);
      insert into labels select chr(64 + n) || n, decode(lpad(to_hex(n), 4, '0'), 'hex') from generate_series(1, 30) n;
    `);
    await pair.project.reload();
    for (const run of [1, 2]) {
      const { code, stdout } = await pair.run(["backfill"]);
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(run === 1 ? /131 documents written, 0/ : /0 documents written, 131/);
    }
    expect(await collection("lines").findOne({ qty: 2.5 }, raw)).toMatchObject({
      _id: { shop: { value: 0 }, code: 'ä"\\,() 10' },
      shop: { value: 0 },
    });
    expect(await collection("labels").findOne({ _id: "A1" }, raw)).toMatchObject({
      name: "A1",
      hue: new Binary(Buffer.from([0, 1])),
    });
    expect((await pair.run(["diff"])).code).toBe(0);
  });

  it("copies although the copy has an id that the database does not accept as a key", async () => {
    await pair.project.query(`
      create type mood as enum ('fine', 'sad');
      create table moods (mood mood primary key, note text);
      insert into moods values ('fine', 'a'), ('sad', 'b');
      create table hosts (host inet primary key);
      insert into hosts values ('10.0.0.1'), ('10.0.0.2');`);
    await pair.project.reload();
    await pair.run(["backfill"]);
    await collection("moods").insertOne({ _id: "angry" });
    await collection("hosts").insertMany([{ _id: "nowhere" }, { _id: "10.0.0.3" }]);
    const { code, stdout } = await pair.run(["backfill"]);
    const compared = await pair.run(["diff"]);
    await pair.project.query("drop table moods; drop type mood");
    expect(code, stdout).toBe(0);
    expect(compared.code).toBe(1);
    expect(compared.stdout).toMatch(/Different: 3 only in the target/);
  });

  it("copies all rows from a server that returns at most seven at once", async () => {
    await fill(100);
    pair.project.settings.maxRows = 7;
    const { code, stdout } = await pair.run(["backfill"]);
    const compared = await pair.run(["diff"]);
    pair.project.settings.maxRows = undefined;
    expect(code, stdout).toBe(0);
    expect(await collection("customers").countDocuments()).toBe(100);
    expect(compared.code).toBe(0);
  });
});
