import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, Double } from "mongodb";
import { beforeEach, expect, it } from "vitest";
import { fillStorefront } from "../../shops/storefront.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A copy that an application's hooks have filled: as a driver writes rows that came as JSON. */
const pair = projectPair();
const CUSTOMERS = 60;

const collection = (name: string) =>
  pair.to.db(pair.database).collection<Document & { _id: string | Double }>(name);
const email = (number: number) => ({ email: `customer${number}@storefront.example` });
const adopting = () => ["backfill", "--into-existing", pair.database] as const;

async function mirror(): Promise<void> {
  const { rows } = await pair.project.query("select to_jsonb(c) as row from customers c");
  const documents = rows.map(({ row }) => {
    const { id, total_spent, ...rest } = row as Record<string, unknown>;
    const [created_at, updated_at] = [rest.created_at, rest.updated_at].map((at) => new Date(String(at)));
    return {
      ...rest,
      _id: String(id),
      total_spent: new Double(Number(total_spent)),
      created_at,
      updated_at,
      __v: 0,
    };
  });
  await collection("customers").insertMany(documents);
  const [shop = {}] = (await pair.project.query("select to_jsonb(s) as row from shop s")).rows;
  const { id, updated_at, ...rest } = shop.row as Record<string, unknown>;
  const changed = new Date(String(updated_at));
  await collection("shops").insertOne({ ...rest, _id: new Double(Number(id)), updated_at: changed });
}

beforeEach(async () => {
  // Whole milliseconds and numbers that a driver does not round: nothing is lost in such a copy.
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.query(`update customers set visits = 3, updated_at = date_trunc('second', updated_at)`);
  await pair.project.reload();
  await mirror();
});

it("backfill refuses a copy that an application filled until it is named, and then leaves equivalent documents alone", async () => {
  const refused = await pair.run(["backfill"]);
  expect(refused.code).toBe(6);
  expect(refused.stdout + refused.stderr).toMatch(/--into-existing/);
  const before = await collection("customers").find().sort({ _id: 1 }).toArray();
  const { code, stdout } = await pair.run(adopting());
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/Done: 0 documents written, 61 documents unchanged \(61 of them equivalent\)/);
  expect(await collection("customers").find().sort({ _id: 1 }).toArray()).toEqual(before);
  const compared = await pair.run(["diff"]);
  expect(compared.code).toBe(0);
  expect(compared.stdout).toMatch(/Identical\. 61 documents of them are equivalent, not equal byte for byte/);
});

it("rewrites documents of an adopted copy that differ, and keeps their fields without a column", async () => {
  await collection("customers").updateOne(email(3), { $set: { name: "Somebody else", note: "by hand" } });
  await collection("customers").updateOne(email(4), { $set: { "payments.0.cents": 5 } });
  await collection("customers").deleteOne(email(5));
  await collection("customers").insertOne({ _id: "not-a-uuid", name: "only here" });
  const compared = await pair.run(["diff"]);
  expect(compared.code).toBe(1);
  expect(compared.stdout).toMatch(/^\* customers\/\S+ {2}\/name string( → string)?$/m);
  expect(compared.stdout).toMatch(/Different: 1 only in the source, 1 only in the target, 2 changed/);
  const { code, stdout } = await pair.run(adopting());
  expect(code, stdout).toBe(0);
  expect(await collection("customers").findOne(email(3))).toMatchObject({
    name: "Customer 3",
    note: "by hand",
    __v: 0,
  });
  expect(await collection("customers").findOne(email(5))).not.toBeNull();
  expect(await collection("customers").findOne({ _id: "not-a-uuid" })).not.toBeNull();
  const again = await pair.run(["backfill"]);
  expect(again.stdout).toMatch(/Done: 0 documents written, 61 documents unchanged/);
});

it("diff reports a lost microsecond and a rounded number in an adopted copy as different kinds of changes", async () => {
  await pair.project.query(`
    update customers set updated_at = updated_at + interval '7 microseconds' where email = 'customer1@storefront.example';
    update customers set visits = 9007199254740993 where email = 'customer2@storefront.example'`);
  await collection("customers").updateOne(email(2), { $set: { visits: new Double(9007199254740992) } });
  const { code, stdout } = await pair.run(["diff"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/lossy-equal: the same except for the microseconds of a time/);
  expect(stdout).toMatch(/\/visits/);
  expect(stdout).toMatch(/Different: 2 changed/);
  const reversed = await pair.run(["diff", "--from", "mongodb", "--to", "supabase"]);
  expect(reversed.code).toBe(1);
  expect(reversed.stdout).toMatch(/Different: 2 changed/);
  await pair.run(adopting());
  expect((await pair.run(["diff"])).code).toBe(0);
});

it("a customer who was deleted and registered again, and two who exchanged their addresses, are copied in one backfill", async () => {
  expect((await pair.run(adopting())).code).toBe(0);
  await collection("customers").createIndex({ email: 1 }, { unique: true });
  const address = (number: number): string => `'customer${number}@storefront.example'`;
  const moved = (from: number, to: string): string =>
    `update customers set email = ${to}, updated_at = now() where email = ${address(from)};`;
  await pair.project.query(`
    delete from customers where email = ${address(5)};
    insert into customers (email, name) values (${address(5)}, 'Registered again');
    ${moved(6, "'between'")} ${moved(7, address(6))}
    update customers set email = ${address(7)} where email = 'between'`);
  const { code, stdout } = await pair.run(["backfill", "--delete", "--yes"]);
  expect(code, stdout).toBe(0);
  expect(await collection("customers").findOne(email(5))).toMatchObject({ name: "Registered again" });
  expect((await pair.run(["diff"])).code).toBe(0);
});

it("repair changes an adopted copy with a plan as a backfill does", async () => {
  await collection("customers").updateOne(email(3), { $set: { name: "Somebody else", note: "by hand" } });
  await collection("customers").deleteOne(email(5));
  const folder = mkdtempSync(join(tmpdir(), "dualsync-repair-"));
  try {
    expect((await pair.run(["diff", "--plan", "plan.ndjson"], folder)).code).toBe(1);
    const { code, stdout } = await pair.run(["repair", "plan.ndjson", "--yes"], folder);
    expect(code, stdout).toBe(0);
    expect(await collection("customers").findOne(email(3))).toMatchObject({
      name: "Customer 3",
      note: "by hand",
    });
    expect((await pair.run(["diff"], folder)).code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
