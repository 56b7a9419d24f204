import { Double, Long, ObjectId } from "mongodb";
import { afterEach, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { type CliResult, collectionRecord, records, summary } from "../../support/cli.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A project that hashes its rows, beside the same project without. */
const pair = projectPair();
const CUSTOMERS = 2_000;
const DIGEST = "/rpc/dualsync_digest";
const REMOVE = [...installSql().matchAll(/^-- {3}(drop .*;)$/gm)].map((match) => match[1]).join("\n");

async function query(sql: string): Promise<void> {
  await pair.project.query(sql);
  await pair.project.reload();
}

const install = (): Promise<void> => query(installSql());
const remove = (): Promise<void> => query(REMOVE);
afterEach(remove);

type Fields = Record<string, unknown>;
const collection = (name: string) =>
  pair.to.db(pair.database).collection<Fields & { _id: string | number | ObjectId | Double | Long }>(name);

interface Compared {
  readonly result: CliResult;
  /** What differs, each as one text. */
  readonly found: readonly string[];
  readonly tiers: unknown;
  /** Bytes of bodies that the project sent, and how often it was asked for digests. */
  readonly sent: number;
  readonly digests: number;
}

async function compare(...flags: string[]): Promise<Compared> {
  const before = pair.project.requests.length;
  const result = await pair.run(["diff", "--json", "--settle", "0.1", ...flags]);
  const requests = pair.project.requests.slice(before);
  const differences = records(result.stdout).filter(({ type }) => type === "diff");
  return {
    result,
    found: differences.map(({ key, kind }) => `${kind} ${key}`).sort(),
    tiers: summary(result.stdout)?.tiers,
    sent: requests.reduce((sum, { sent }) => sum + sent, 0),
    digests: requests.filter(({ path }) => path === DIGEST).length,
  };
}

/** The counts of a collection that must not depend on how it was compared. */
function counts({ result }: Compared, name: string): unknown {
  const { tier: _, ...rest } = collectionRecord(result.stdout, name) ?? {};
  return { ...rest, ts: undefined, run: undefined };
}

/** Whatever function is asked for after so many answers takes too long. */
function refuseAfter(answers: number) {
  const late = { code: "57014", message: "canceling statement due to statement timeout" };
  const headers = { "Content-Type": "application/json; charset=utf-8" };
  let asked = 0;
  return pair.project.fail({
    on: ({ path }) => path === DIGEST && ++asked > answers,
    answer: { status: 500, headers, body: JSON.stringify(late) },
  });
}

it("compares by digests without transferring equal rows, and reads rows that cannot be hashed in time", async () => {
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await install();
  await pair.run(["backfill"]);
  const before = pair.project.requests.length;
  const { code, stdout } = await pair.run(["diff"]);
  const equal = pair.project.requests.slice(before).reduce((sum, { sent }) => sum + sent, 0);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^How: .*records hashed: the store hashed the exact text of every record/m);
  expect(stdout).toMatch(
    /^Identical\. Compared: 2,001 documents in 2 collections, by everything that the tables hold/m,
  );
  expect(stdout).not.toMatch(/byte for byte/);
  await query(
    [17, 400, 900, 1500]
      .map((n) => `update customers set vip = not vip where email = 'customer${n}@storefront.example';`)
      .join("\n"),
  );
  const four = await compare();
  // Most answers are the proof, before anything is compared.
  const fault = refuseAfter(four.digests - 2);
  const refused = await compare();
  fault.stop();
  expect(fault.hits).toBeGreaterThan(0);
  await remove();
  const read = await compare();
  expect(read.found).toHaveLength(4);
  for (const { found } of [four, refused]) expect(found).toEqual(read.found);
  // The smaller table is read at once.
  expect(four.tiers).toEqual(["bytes", "records"]);
  expect(refused.tiers).toContain("records");
  // Where the target's server cannot hash either, both are.
  expect([["bytes", "target-hashes"], ["bytes"]]).toContainEqual(read.tiers);
  expect(equal).toBeLessThan(0.07 * read.sent);
  expect(four.sent - equal).toBeLessThan(0.4 * read.sent);
});

const PAD = "x".repeat(1_500);

/** Rows of which some are changed on one side afterwards. */
const THINGS = `
create table things (id int4 primary key, a text, b text, at timestamptz, n numeric, price numeric(12, 2), big int8, f float8,
  j json, jb jsonb, tags text[], raw bytea, flag bool, pad text);
insert into things select n, 'a' || n, 'b' || n, timestamptz '2026-01-01' + n * interval '1.5 seconds', n / 8.0, n / 4.0,
  n + 9007199254740992, n / 3.0, format('{"n":  %s}', n)::json, jsonb_build_object('n', n), array['t' || n, null],
  decode(lpad(to_hex(n), 4, '0'), 'hex'), n % 2 = 0, '${PAD}' from generate_series(1, 900) n;
`;

/** By the row that they are on. */
const PLANTED: ReadonlyMap<number, string> = new Map([
  [10, "a = null"],
  [60, "a = b, b = a"],
  [110, "a = 'a110b', b = '110'"],
  [160, "at = at + interval '1 microsecond'"],
  [210, "n = n + 0.00000000000000000001"],
  [260, "big = big + 1"],
  [310, "f = f + 1e-13"],
  [360, `jb = '{"n": "360"}'`],
  [410, "tags = array['t410', 'null']"],
  [460, "raw = raw || '\\x00'"],
  [510, "flag = null"],
  [560, "price = price + 0.01"],
  [610, "jb = 'null'"],
  [660, "tags = null"],
]);

/** The same to the table: other texts of the same values. */
const ALIKE: ReadonlyMap<number, string> = new Map([
  [35, `j = '{"n":35}'`],
  [85, "n = n + 0.000"],
]);

it("finds every planted difference with and without digests", async () => {
  await query(THINGS);
  await install();
  await pair.run(["backfill"]);
  await query(
    [...PLANTED, ...ALIKE].map(([id, set]) => `update things set ${set} where id = ${id};`).join("\n") +
      "delete from things where id = 750; insert into things (id, a) values (-5, 'new'), (2000, 'new');",
  );
  const things = collection("things");
  await things.insertMany([{ _id: 5_000 }, { _id: "x" }, { _id: new ObjectId() }, { _id: new Double(0.5) }]);
  await things.updateOne({ _id: 800 }, { $set: { "jb.n": "800" } });
  await things.updateOne({ _id: 820 }, { $unset: { a: 1 } });
  await things.updateOne({ _id: 840 }, { $set: { flag: null, note: "by hand" } });
  // These say the same with other bytes.
  await things.updateOne({ _id: 860 }, { $set: { __v: 0, price: new Double(215) } });
  await things.updateOne({ _id: 880 }, { $unset: { _ds: 1 } });
  const hashed = await compare();
  const reversed = await compare("--from", "mongodb", "--to", "supabase");
  await query("drop function dualsync_digest");
  const read = await compare();
  await remove();
  const bare = await compare();
  expect([hashed, read, bare].map(({ result }) => result.code)).toEqual([1, 1, 1]);
  expect(hashed.tiers).toEqual(["records"]);
  expect(hashed.found).toEqual(read.found);
  expect(hashed.found).toEqual(bare.found);
  expect(reversed.tiers).toEqual(["records"]);
  const other: Record<string, string> = { missing: "extra", extra: "missing" };
  const turned = reversed.found.map((text) => text.replace(/^\w+/, (kind) => other[kind] ?? kind));
  expect(turned.sort()).toEqual(hashed.found);
  expect(counts(hashed, "things")).toEqual(counts(read, "things"));
  for (const id of [...PLANTED.keys(), 800, 820, 840])
    expect(hashed.found).toContain(`changed document things/${id}`);
  expect(hashed.found.filter((text) => text.startsWith("changed"))).toHaveLength(PLANTED.size + 3);
  expect(hashed.found.filter((text) => text.startsWith("missing"))).toHaveLength(2);
  expect(hashed.found.filter((text) => text.startsWith("extra"))).toHaveLength(5);
  expect(hashed.sent).toBeLessThan(read.sent);
});

it("counts what an application wrote as equivalent, however it was compared", async () => {
  await fillStorefront(pair.project.query, { customers: 600 });
  await install();
  await pair.run(["backfill"]);
  await pair.to.db(pair.database).dropCollection("_dualsync");
  const customers = collection("customers");
  await customers.updateMany({ vip: true }, { $set: { __v: 0 } });
  await customers.updateMany({ visits: Long.fromNumber(3) }, { $set: { visits: new Double(3) } });
  const hashed = await compare();
  expect(collectionRecord(hashed.result.stdout, "customers")).toMatchObject({ tier: "records" });
  const { code, stdout } = await pair.run(["backfill", "--into-existing", pair.database]);
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/0 documents written, 601 documents unchanged \(80 of them equivalent\)/);
  // Without hashes of rows, and with all that is known of the tables.
  await query("drop function dualsync_digest");
  const read = await compare();
  expect(read.tiers).not.toContain("records");
  expect([hashed.result.code, hashed.found]).toEqual([0, []]);
  expect(counts(hashed, "customers")).toEqual(counts(read, "customers"));
  expect(collectionRecord(hashed.result.stdout, "customers")).toMatchObject({ equal: 600, equivalent: 80 });
});

it("compares composite keys by digests, and text keys by lookups", async () => {
  await query(`
    create table lines (shop int4, code uuid, qty int4, pad text, primary key (shop, code));
    insert into lines select n % 5, md5(n::text)::uuid, n, '${PAD}' from generate_series(1, 400) n;
    create table labels (name text primary key, hue text);
    insert into labels select 'Label ' || n, 'red' from generate_series(1, 50) n;`);
  await install();
  await pair.run(["backfill"]);
  await query(
    `update lines set qty = -1 where qty = 200; update labels set hue = 'blue' where name = 'Label 7'`,
  );
  const { result, found, sent } = await compare();
  expect(found).toEqual([
    'changed document labels/"Label 7"',
    expect.stringMatching(/^changed document lines\//),
  ]);
  expect(collectionRecord(result.stdout, "lines")).toMatchObject({ tier: "records", equal: 399 });
  expect(collectionRecord(result.stdout, "labels")).toMatchObject({ tier: "lookup", equal: 49 });
  await query("drop function dualsync_digest");
  const read = await compare();
  expect(read.found).toEqual(found);
  expect(sent).toBeLessThan(0.7 * read.sent);
});
