import { type Document, Double, Int32, ObjectId } from "mongodb";
import { beforeEach, expect, it } from "vitest";
import { fillStorefront } from "../../shops/storefront.ts";
import { records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A night on which the project is down, the application works on the copy, and cron knows nothing of it. */
const pair = projectPair();
const CUSTOMERS = 40;

const sql = (text: string) => pair.project.query(text);
const customers = () => pair.to.db(pair.database).collection<Document & { _id: unknown }>("customers");
const email = (number: number) => ({ email: `customer${number}@storefront.example` });
const one = async (number: number): Promise<Document | null> => await customers().findOne(email(number));

let cwd = "";
beforeEach(async () => {
  cwd = folder();
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.reload();
  const evening = await pair.run(["backfill"], cwd);
  expect(evening.code, evening.stdout).toBe(0);
});

interface Night {
  readonly code: number | null;
  readonly text: string;
  /** Keys of what was lost. */
  readonly items: string[];
  /** The run that can be undone. */
  readonly saved: string | undefined;
}

async function cron(...flags: string[]): Promise<Night> {
  const { code, stdout, stderr } = await pair.run(["backfill", "--json", ...flags], cwd);
  const found = records(stdout);
  const saved = /replaced or removed: dualsync undo ([0-9a-f]{8})/.exec(stdout)?.[1];
  const items = found.filter(({ type }) => type === "item").map(({ key }) => String(key));
  return { code, text: stdout + stderr, items: items.sort(), saved };
}

/** What an application does through Mongoose: numbers become Doubles, documents get a version, new ones an ObjectId. */
async function workOnCopy(): Promise<void> {
  const later = new Date(Date.now() + 3_600_000);
  await customers().updateOne(email(1), {
    $set: { total_spent: new Double(99.5), updated_at: later, __v: new Int32(1) },
  });
  await customers().updateOne(email(2), { $set: { name: "Changed without a time" } });
  await customers().insertOne({
    _id: new ObjectId(),
    ...email(100),
    name: "New in the night",
    updated_at: later,
  });
  await customers().deleteOne(email(3));
}

it("what an application wrote into the copy during an outage survives the nightly run, or can be restored with undo", async () => {
  // At one o'clock the project goes down: cron ends by that, and the copy stays as it is.
  const down = pair.fail({ answer: { status: 503, headers: {}, body: "upstream unavailable" } });
  const before = await customers().find().toArray();
  const atOne = await pair.run(["backfill", "--json"], cwd, { env: { SYNC_MAX_RETRIES: "0" } });
  expect(atOne.code).toBe(4);
  expect(await customers().find().toArray()).toEqual(before);
  await workOnCopy();
  const [newer, changed] = [await one(1), await one(2)];
  const id = String((await one(1))?._id);
  // At two it comes back, and a colleague changes a row there.
  down.stop();
  await sql(
    "update customers set name = 'By hand', updated_at = now() where email = 'customer4@storefront.example'",
  );
  // At three cron copies.
  const atThree = await cron();
  expect([atThree.code, atThree.items], atThree.text).toEqual([3, [`document customers/${id}`]]);
  expect(atThree.text).toMatch(/newer by updated_at and was kept.*dualsync repair/);
  expect(await one(1)).toEqual(newer);
  expect(await one(4)).toMatchObject({ name: "By hand" });
  expect(await one(100)).toMatchObject({ name: "New in the night" });
  // It had no later time: the row came back over it, and it is saved.
  expect(await one(2)).toMatchObject({ name: "Customer 2" });
  expect(atThree.saved, atThree.text).toBeDefined();
  const undone = await pair.run(["undo", String(atThree.saved), "--yes"], cwd);
  expect(undone.stdout).toMatch(/put back or removed, and read back/);
  expect(await one(2)).toEqual(changed);
  // The comparison names the same document, and takes the project's only when that was reviewed.
  const compared = await pair.run(["diff", "--plan", "night.plan"], cwd);
  expect(compared.code).toBe(1);
  expect(compared.stdout).toMatch(new RegExp(`\\* customers/${id}`));
  expect((await pair.run(["repair", "night.plan", "--yes"], cwd)).code).toBe(0);
  expect(await one(1)).toMatchObject({ total_spent: 0.37 });
});

it("documents added to the copy during an outage are saved before --delete removes them", async () => {
  await workOnCopy();
  const added = await one(100);
  const night = await cron("--delete", "--yes");
  expect(night.code, night.text).toBe(3);
  expect(await one(100)).toBe(null);
  await pair.run(["undo", String(night.saved), "--yes"], cwd);
  expect(await one(100)).toEqual(added);
});

it("a nightly run with --since saves what it replaces, and keeps what is newer in the copy", async () => {
  await workOnCopy();
  const changed = await one(2);
  const rows = "email in ('customer1@storefront.example', 'customer2@storefront.example')";
  await sql(`update customers set visits = 8, updated_at = now() where ${rows}`);
  const night = await cron("--since", "last");
  expect([night.code, night.items.length], night.text).toEqual([3, 1]);
  expect(await one(1)).toMatchObject({ total_spent: 99.5 });
  expect(await one(2)).toMatchObject({ name: "Customer 2" });
  await pair.run(["undo", String(night.saved), "--yes"], cwd);
  expect(await one(2)).toEqual(changed);
});

it("nightly runs after changes in the project alone save nothing, and do not mention undo", async () => {
  for (let night = 1; night <= 2; night++) {
    await sql(`update customers set visits = visits + 1, updated_at = now() where right(email, 20) < '5'`);
    await sql(
      `update customers set name = 'Night ${night}', updated_at = now() where email like 'customer1%'`,
    );
    const { code, text, saved } = await cron();
    expect([code, saved], text).toEqual([0, undefined]);
    expect((await one(10))?.name).toBe(`Night ${night}`);
  }
});

it("a run after one that was not verified by content saves what it replaces", async () => {
  await sql("update customers set name = 'Once', updated_at = now() where email like 'customer1@%'");
  expect((await cron("--verify", "counts")).code).toBe(0);
  await sql("update customers set name = 'Twice', updated_at = now() where email like 'customer1@%'");
  const { code, saved, text } = await cron();
  expect([code, saved], text).toEqual([0, expect.stringMatching(/^[0-9a-f]{8}$/)]);
});

it("--newer-by names the date field that decides which side is newer", async () => {
  await customers().updateOne(email(5), {
    $set: { created_at: new Date("2027-01-01T00:00:00Z"), name: "Later" },
  });
  expect((await cron("--newer-by", "created_at")).code).toBe(3);
  expect((await one(5))?.name).toBe("Later");
  const night = await cron();
  expect([night.code, (await one(5))?.name]).toEqual([0, "Customer 5"]);
  expect(night.saved).toBeDefined();
});
