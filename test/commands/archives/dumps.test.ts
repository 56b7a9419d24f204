import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type CliResult, records } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";

/** What mongodump has written is compared and restored like any copy. */
const server = mongodbStore();
const FIXTURES = resolve("test/fixtures/mongodump");

const db = () => server.client.db(server.database);

async function ends(code: number, result: Promise<CliResult>): Promise<CliResult> {
  const done = await result;
  expect(done.code, done.stdout + done.stderr).toBe(code);
  return done;
}

function itemsOf({ stdout }: CliResult): unknown[] {
  return records(stdout)
    .filter(({ type }) => type === "item")
    .map(({ key }) => key)
    .sort();
}

function notesOf({ stdout }: CliResult): string {
  const { notes } = records(stdout).find(({ type }) => type === "start") as { notes: string[] };
  return notes.join("\n");
}

const apply = (place: string, ...flags: string[]) => [
  ...["restore", "--from", `file:${place}`, "--apply", "--confirm", server.database, "--json"],
  ...flags,
];

describe.each(["plain", "gzip", "ordersDB.archive"])("a dump (%s)", (form) => {
  const place = join(FIXTURES, form);

  it("is restored, but for measurements, which are named; and is then found equal", async () => {
    const cwd = newFolder();
    const done = await ends(3, server.run(apply(place), cwd));
    expect(itemsOf(done)).toEqual(["collection visits"]);
    const counts = ["orders", "customers", "mixed ids", "log", "by key", "empty", "paid"].map(
      async (name) => [name, await db().collection(name).countDocuments()],
    );
    expect(Object.fromEntries(await Promise.all(counts))).toMatchObject({
      ...{ orders: 120, customers: 40, "mixed ids": 9, log: 50, "by key": 2, empty: 0 },
    });
    const indexes = await db().collection("orders").indexes();
    expect(indexes.map(({ name }) => name).sort()).toEqual([
      "_id_",
      "at_1",
      "customer_1_at_-1",
      "note_text",
      "orderNo_1",
    ]);
    const listed = await db().listCollections().toArray();
    expect(listed.find(({ name }) => name === "paid")).toMatchObject({ type: "view" });
    expect(listed.find(({ name }) => name === "customers")).toMatchObject({
      options: { validationLevel: "moderate" },
    });
    const flags = ["--exclude", "visits", "--json"];
    await ends(0, server.run(["diff", "--from", `file:${place}`, "--to", "mongodb", ...flags], cwd));
    await db()
      .collection("orders")
      .deleteOne({ orderNo: { $exists: true } });
    await ends(1, server.run(["diff", "--from", `file:${place}`, "--to", "mongodb", ...flags], cwd));
  });

  it("says before anything is written what can be known of it, and gives back single documents", async () => {
    const shown = await ends(6, server.run(["restore", "--from", `file:${place}`, "--json"]));
    expect(notesOf(shown)).toMatch(/mongodump/);
    expect(await db().listCollections().toArray()).toEqual([]);
    await ends(0, server.run(apply(place, "--include", "mixed ids")));
    expect(await db().collection("mixed ids").countDocuments()).toBe(9);
  });
});

describe("a dump that is not as it was", () => {
  it("is restored but for the collection that is cut off, which is named", async () => {
    const cwd = newFolder();
    cpSync(join(FIXTURES, "plain"), join(cwd, "dump"), { recursive: true });
    truncateSync(join(cwd, "dump", "ordersDB", "orders.bson"), 20_000);
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    writeFileSync(join(cwd, "dump", "ordersDB", "mixed+ids.bson"), pointer);
    const shown = await ends(6, server.run(["restore", "--from", "file:./dump", "--json"], cwd));
    expect(itemsOf(shown)).toEqual(["collection mixed ids", "collection orders", "collection visits"]);
    expect(shown.stdout).toContain("pointer of Git LFS");
    expect(await db().listCollections().toArray()).toEqual([]);
    const done = await ends(3, server.run(apply("./dump"), cwd));
    expect(itemsOf(done)).toEqual(["collection mixed ids", "collection orders", "collection visits"]);
    expect(await db().collection("customers").countDocuments()).toBe(40);
    expect(await db().collection("orders").countDocuments()).toBe(0);
    await ends(9, server.run(["restore", "--from", "file:./dump", "--id", "orders/1", "--json"], cwd));
  });

  it("builds an index whose expiry is no number without one, so that nothing expires", async () => {
    const cwd = newFolder();
    cpSync(join(FIXTURES, "plain"), join(cwd, "dump"), { recursive: true });
    const path = join(cwd, "dump", "ordersDB", "orders.metadata.json");
    const text = readFileSync(path, "utf8");
    const old = text.replace(
      '"expireAfterSeconds":{"$numberInt":"315360000"}',
      '"expireAfterSeconds":"soon","ns":"x.orders"',
    );
    expect(old).not.toBe(text);
    writeFileSync(path, old);
    const flags = ["--include", "orders", "--dry-run", "--json"];
    const shown = await ends(3, server.run(["restore", "--from", "file:./dump", ...flags], cwd));
    expect(itemsOf(shown)).toEqual(["index orders/at_1"]);
    expect(notesOf(shown)).toMatch(/^index orders\/at_1: .*expire/m);
    const done = await ends(3, server.run(apply("./dump", "--include", "orders"), cwd));
    expect(itemsOf(done)).toEqual(["index orders/at_1"]);
    const indexes = await db().collection("orders").indexes();
    expect(indexes.find(({ name }) => name === "at_1")).not.toHaveProperty("expireAfterSeconds");
    expect(await db().collection("orders").countDocuments()).toBe(120);
  });
});
