import { Decimal128, Double, Long } from "mongodb";
import { describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { fillOrders } from "../../shops/orders.ts";
import { collectionRecord, dualsync, records, summary } from "../../support/cli.ts";
import { contents, snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair();
const { duplicate } = pair;

describe("duplicate", () => {
  it("copies the documents, indexes, options and views of a whole shop", async () => {
    await fillOrders(pair.source.uri, pair.database, { orders: 3_000 });
    const { code, stdout, stderr } = await duplicate();
    expect(stderr + stdout).not.toMatch(/error/);
    expect(code).toBe(0);
    expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
  });

  it("writes nothing the second time, and only what changed the third time", async () => {
    await fillOrders(pair.source.uri, pair.database, { orders: 500 });
    await duplicate();
    const again = await duplicate("--json");
    expect(again.code).toBe(0);
    expect(collectionRecord(again.stdout, "orders")).toMatchObject({
      read: 500,
      written: 0,
      unchanged: 500,
      verdict: "verified",
    });
    const orders = pair.from.db(pair.database).collection("orders");
    const ids = (await orders.find().limit(2).toArray()).map(({ _id }) => _id);
    await orders.updateOne({ _id: { $in: ids.slice(0, 1) } }, { $set: { changed: new Long(1) } });
    await orders.deleteOne({ _id: { $in: ids.slice(1) } });
    await orders.insertOne({ fresh: true });
    const third = await duplicate("--json");
    expect(collectionRecord(third.stdout, "orders")).toMatchObject({
      read: 500,
      written: 2,
      unchanged: 498,
      extra: 1,
      verdict: "verified",
    });
    const fourth = await duplicate("--json", "--delete", "--yes");
    expect(collectionRecord(fourth.stdout, "orders")).toMatchObject({ written: 0, deleted: 1, extra: 0 });
    expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
  });

  it("distinguishes types that look alike", async () => {
    const looks = pair.from.db(pair.database).collection<{ _id: number; v: unknown }>("looks");
    const copy = pair.to.db(pair.database).collection<{ _id: number; v: unknown }>("looks");
    await looks.insertMany([
      { _id: 1, v: Long.fromNumber(5e9) },
      { _id: 2, v: new Decimal128("1.0") },
      { _id: 3, v: new Double(-0) },
      { _id: 4, v: null },
    ]);
    await copy.insertMany([
      { _id: 1, v: new Double(5e9) },
      { _id: 2, v: new Decimal128("1.00") },
      { _id: 3, v: new Double(0) },
    ]);
    await pair.to
      .db(pair.database)
      .collection("looks")
      .insertOne({ _id: 4 as never });
    const { code, stdout } = await duplicate("--json", "--into-existing", pair.database);
    expect(code).toBe(0);
    expect(collectionRecord(stdout, "looks")).toMatchObject({ written: 4, unchanged: 0 });
    expect(await contents(pair.to, pair.database, "looks")).toEqual(
      await contents(pair.from, pair.database, "looks"),
    );
  });

  it("copies a large collection in ranges, and loses nothing", async () => {
    const large = pair.from.db(pair.database).collection<{ _id: string | number; text: string }>("large");
    const text = "x".repeat(4_500);
    await large.insertMany(
      Array.from({ length: 4_000 }, (_, n) => ({ _id: n % 3 === 0 ? `k${n}` : n, text })),
    );
    const { code, stdout } = await duplicate("--json");
    expect(code).toBe(0);
    expect(collectionRecord(stdout, "large")).toMatchObject({
      read: 4_000,
      written: 4_000,
      sourceCount: 4_000,
      targetCount: 4_000,
      verdict: "verified",
    });
    expect(await contents(pair.to, pair.database, "large")).toEqual(
      await contents(pair.from, pair.database, "large"),
    );
    // As after an interruption: a segment in the middle and the end are not there.
    await pair.to
      .db(pair.database)
      .collection("large")
      .deleteMany({ _id: { $gte: 1_400, $lt: 2_800 } as never });
    await pair.to
      .db(pair.database)
      .collection("large")
      .deleteMany({ _id: { $gte: "k5" } as never });
    const again = await duplicate("--json");
    expect(again.code).toBe(0);
    expect(Number(collectionRecord(again.stdout, "large")?.written)).toBeGreaterThan(800);
    expect(await contents(pair.to, pair.database, "large")).toEqual(
      await contents(pair.from, pair.database, "large"),
    );
  });

  it("does not fail while the source is written, and a later quiet run is exact", async () => {
    const busy = pair.from.db(pair.database).collection<{ _id: number; n: number }>("busy");
    await busy.insertMany(Array.from({ length: 5_000 }, (_, n) => ({ _id: n, n })));
    let running = true;
    let next = 5_000;
    const writing = (async () => {
      while (running) {
        await busy.updateMany({ _id: { $lt: 50 } }, { $inc: { n: 1 } });
        await busy.insertOne({ _id: next++, n: 0 });
        await busy.deleteOne({ _id: next - 4_000 });
      }
    })();
    const during = await duplicate("--json");
    const between = await duplicate("--json");
    running = false;
    await writing;
    expect([during.code, between.code]).toEqual([0, 0]);
    expect(next).toBeGreaterThan(5_010);
    const after = await duplicate("--json", "--delete", "--yes");
    expect(after.code).toBe(0);
    expect(await contents(pair.to, pair.database, "busy")).toEqual(
      await contents(pair.from, pair.database, "busy"),
    );
  });

  it("copies what is selected, under the names that were asked for", async () => {
    const db = pair.from.db(pair.database);
    await db.collection("orders").insertMany([{ state: "paid" }, { state: "open" }]);
    await db.collection("tmp_a").insertOne({});
    await db.collection("people").insertOne({});
    await db.createCollection("paid", { viewOn: "orders", pipeline: [{ $match: { state: "paid" } }] });
    const flags = [
      "--exclude",
      "tmp_*",
      "--exclude",
      "people",
      "--rename",
      "orders=bestellungen",
      "--filter",
      'orders={"state":"paid"}',
    ];
    const { code, stdout } = await duplicate("--json", ...flags);
    expect(code).toBe(0);
    const names = (await pair.to.db(pair.database).listCollections().toArray())
      .map(({ name }) => name)
      .filter((name) => !/^(system\.|_dualsync)/.test(name));
    expect(names.sort()).toEqual(["bestellungen", "paid"]);
    expect(await pair.to.db(pair.database).collection("bestellungen").countDocuments()).toBe(1);
    expect(await pair.to.db(pair.database).collection("paid").countDocuments()).toBe(1);
    expect(collectionRecord(stdout, "orders")).toMatchObject({ target: "bestellungen", read: 1, written: 1 });
  });

  it("names an index that cannot be built and exits with 3, or with 0 once that is accepted", async () => {
    await pair.from.db(pair.database).collection("people").insertOne({ email: "a" });
    await pair.from.db(pair.database).collection("people").createIndex({ email: 1 }, { unique: true });
    await pair.to
      .db(pair.database)
      .collection("people")
      .insertMany([{ email: "b" }, { email: "b" }]);
    const { code, stdout } = await duplicate("--into-existing", pair.database);
    expect(code).toBe(3);
    expect(stdout).toMatch(/index people\/email_1/);
    const accepted = await duplicate("--accept", "index people/email_1");
    expect(accepted.code).toBe(0);
    expect(accepted.stdout).toMatch(/index people\/email_1/);
  });

  it("writes nothing in a dry run, and says so", async () => {
    await pair.from.db(pair.database).collection("a").insertOne({});
    const { code, stdout } = await duplicate("--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/nothing was written/i);
    expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
  });

  it("prints nothing with --quiet on success", async () => {
    await pair.from.db(pair.database).collection("a").insertOne({});
    expect(await duplicate("--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("ends --json output with a summary, on success and on refusal", async () => {
    await pair.from.db(pair.database).collection("a").insertOne({});
    const { stdout } = await duplicate("--json");
    expect(records(stdout).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["start", "collection", "summary"]),
    );
    expect(summary(stdout)).toMatchObject({ type: "summary", exitCode: 0 });
    const refused = await duplicate("--json", "--include", "nothing_*");
    expect(refused.code).toBe(6);
    expect(summary(refused.stdout)).toMatchObject({ type: "summary", exitCode: 6 });
  });

  it("refuses one database under two addresses, and leaves no trace in it", async () => {
    await pair.from.db(pair.database).collection("a").insertOne({});
    const before = await snapshot(pair.from, pair.database);
    const env = {
      A: withDatabase(pair.source.uri, pair.database),
      B: withDatabase(pair.source.uri, pair.database).replace("127.0.0.1", "localhost"),
    };
    const { code, stderr } = await dualsync(["duplicate", "--from", "env:A", "--to", "env:B"], { env });
    expect(code).toBe(6);
    expect(stderr).toMatch(/same database/);
    expectExplained(stderr, code);
    expect(await snapshot(pair.from, pair.database)).toEqual(before);
    expect((await pair.from.db(pair.database).listCollections().toArray()).map(({ name }) => name)).toEqual([
      "a",
    ]);
  });

  it("refuses --delete without a terminal and --yes, and with an empty source", async () => {
    await pair.from.db(pair.database).createCollection("a");
    await pair.to.db(pair.database).collection("a").insertOne({});
    const unasked = await duplicate("--delete");
    expectExplained(unasked.stderr, 6);
    expect([unasked.code, unasked.stderr]).toEqual([6, expect.stringMatching(/--yes|empty in the source/)]);
    const emptied = await duplicate("--delete", "--yes");
    expectExplained(emptied.stderr, 6);
    expect([emptied.code, emptied.stderr]).toEqual([6, expect.stringMatching(/empty in the source/)]);
    expect(await pair.to.db(pair.database).collection("a").countDocuments()).toBe(1);
  });
});
