import { Decimal128, Double, Int32, Long } from "bson";
import { expect, it } from "vitest";
import { records, summary } from "../support/cli.ts";
import { fillMixed } from "../support/mixed-database.ts";
import { serverPair } from "../support/pair.ts";

const pair = serverPair();

it("calls a copy that duplicate has just made identical, whatever kinds of collections there are", async () => {
  await fillMixed(pair.from, pair.database);
  expect((await pair.duplicate()).code).toBe(0);
  const { code, stdout, stderr } = await pair.run(["diff", "--settle", "1"]);
  console.log(stdout, stderr);
  expect([code, stderr]).toEqual([0, ""]);
});

it("finds what was planted", async () => {
  await fillMixed(pair.from, pair.database);
  expect((await pair.duplicate()).code).toBe(0);
  const orders = pair.to.db(pair.database).collection<{ _id: number; text?: string }>("orders");
  await orders.deleteOne({ _id: 17 });
  await orders.insertOne({ _id: -5, text: "extra" });
  await orders.updateOne({ _id: 100 }, { $set: { number: new Double(100) } });
  await orders.updateOne({ _id: 14_000 }, { $set: { added: Decimal128.fromString("1.00") } });
  await pair.to
    .db(pair.database)
    .collection("log")
    .insertOne({ n: new Int32(1) });
  await pair.to.db(pair.database).collection("customers").createIndex({ name: 1 });
  const run = await pair.run(["diff", "--settle", "1", "--plan", "/tmp/try/p.plan", "--values"]);
  console.log(run.stdout, run.stderr);
  expect(run.code).toBe(1);
  const j = await pair.run(["diff", "--settle", "1", "--json"]);
  console.log(
    JSON.stringify(
      records(j.stdout).filter((r) => r.type === "diff"),
      null,
      1,
    ),
    summary(j.stdout),
  );
  const rep = await pair.run(["repair", "/tmp/try/p.plan", "-y", "--delete"]);
  console.log(rep.stdout, rep.stderr);
  const again = await pair.run(["diff", "--settle", "1"]);
  console.log(again.stdout);
  expect(Long.fromInt(1).toNumber()).toBe(1);
});
