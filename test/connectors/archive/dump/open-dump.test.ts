import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Int32, serialize } from "bson";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isDump, openDump } from "../../../../src/connectors/archive/dump/open-dump.ts";
import type {
  OpenedArchive,
  StoredCollection,
} from "../../../../src/connectors/archive/stored-collection.ts";
import type { DocumentId } from "../../../../src/model/document.ts";
import { DualsyncError } from "../../../../src/model/errors.ts";

const FIXTURES = "test/fixtures/mongodump";
const { signal } = new AbortController();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dumps-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function bytesOf(collection: StoredCollection): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const batch of collection.read({ signal })) parts.push(Uint8Array.from(batch.bytes));
  return Buffer.concat(parts).toString("hex");
}

async function contents(dump: OpenedArchive): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const collection of dump.collections) all[collection.info.name] = await bytesOf(collection);
  return all;
}

it.each(["plain", "plain/ordersDB", "gzip", "ordersDB.archive"])(
  "the dump %s gives every collection, its definition and its documents",
  async (path) => {
    expect(await isDump(join(FIXTURES, path))).toBe(true);
    const dump = await openDump(join(FIXTURES, path), undefined, signal);
    expect(dump.collections.map(({ info }) => [info.name, info.type, info.documents])).toEqual([
      ["by key", "collection", 2],
      ["customers", "collection", 40],
      ["empty", "collection", 0],
      ["log", "capped", 50],
      ["mixed ids", "collection", 9],
      ["orders", "collection", 120],
      ["paid", "view", 0],
    ]);
    expect(dump.notCopied.map(({ name }) => name)).toEqual(["visits"]);
    const orders = dump.collections.find(({ info }) => info.name === "orders");
    expect(orders?.indexes.map((index) => index.get("name"))).toEqual([
      "orderNo_1",
      "customer_1_at_-1",
      "at_1",
      "note_text",
    ]);
    expect(orders?.indexes[0]).toEqual(
      new Map<string, unknown>([
        ["v", new Int32(2)],
        ["key", new Map([["orderNo", new Int32(1)]])],
        ["name", "orderNo_1"],
        ["unique", true],
      ]),
    );
    for (const collection of dump.collections) {
      expect(collection.altered).toEqual([]);
      await collection.check(signal);
    }
    const data = await contents(dump);
    for (const name of ["by+key", "customers", "log", "mixed+ids", "orders"]) {
      const file = await readFile(join(FIXTURES, "plain/ordersDB", `${name}.bson`));
      expect(data[name.replace("+", " ")]).toBe(file.toString("hex"));
    }
    await dump.close();
  },
);

it.each(["plain", "gzip", "ordersDB.archive"])(
  "documents of the dump %s are found by id and by range",
  async (path) => {
    const dump = await openDump(join(FIXTURES, path), undefined, signal);
    const orders = dump.collections.find(({ info }) => info.name === "orders") as StoredCollection;
    const ids: DocumentId[] = [];
    for await (const batch of orders.read({ signal })) for (const { id } of batch.docs()) ids.push(id.copy());
    const found = await orders.find(ids.slice(5, 9), signal);
    expect([...found.keys()].sort()).toEqual(
      ids
        .slice(5, 9)
        .map(({ key }) => key)
        .sort(),
    );
    expect(await orders.count({ from: ids[10], to: ids[30] }, signal)).toBe(20);
    let read = 0;
    for await (const batch of orders.read({ after: ids[99], signal })) read += batch.length;
    expect(read).toBe(20);
    await dump.close();
  },
);

/** Every collection's documents are the original ones, or it is refused; nothing is missing without a word. */
async function assertSafe(path: string, whole: Record<string, string>): Promise<void> {
  let dump: OpenedArchive;
  try {
    dump = await openDump(path, "ordersDB", signal);
  } catch (error) {
    expect(error).toBeInstanceOf(DualsyncError);
    return;
  }
  const said = new Set(dump.notCopied.map(({ name }) => name));
  for (const collection of dump.collections) {
    const { name } = collection.info;
    said.add(name);
    try {
      await collection.check(signal);
    } catch (error) {
      expect(error).toBeInstanceOf(DualsyncError);
      continue;
    }
    const bytes = await bytesOf(collection);
    if (whole[name] !== undefined && collection.info.kind !== "definition") expect(bytes).toBe(whole[name]);
  }
  const missing = Object.keys(whole).filter((name) => !said.has(name) && whole[name] !== "");
  // One letter of a name may be another one: then two names that nobody knew are said.
  if (missing.length > 0) expect([...said].some((name) => whole[name] === undefined)).toBe(true);
  await dump.close();
}

it("an archive file that is cut off anywhere, or has a wrong byte, gives no wrong documents", async () => {
  const original = await readFile(join(FIXTURES, "ordersDB.archive"));
  const whole = await contents(await openDump(join(FIXTURES, "ordersDB.archive"), undefined, signal));
  const path = join(folder, "damaged.archive");
  const step = 331;
  for (let at = 0; at < original.length; at += step) {
    await writeFile(path, original.subarray(0, at));
    await assertSafe(path, whole);
    const flipped = Buffer.from(original);
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
    await writeFile(path, flipped);
    await assertSafe(path, whole);
  }
  await writeFile(path, gzipSync(original));
  expect(await isDump(path)).toBe(true);
  expect(await contents(await openDump(path, undefined, signal))).toEqual(whole);
}, 60_000);

it("a damaged file of a folder is refused by its name, and the others are given", async () => {
  const path = join(folder, "ordersDB");
  await cp(join(FIXTURES, "plain/ordersDB"), path, { recursive: true });
  const customers = await readFile(join(path, "customers.bson"));
  await writeFile(join(path, "customers.bson"), customers.subarray(0, -3));
  await writeFile(join(path, "orders.bson"), "version https://git-lfs.github.com/spec/v1\n");
  await writeFile(join(path, "huge.bson"), Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0]));
  await writeFile(join(path, "alone.bson"), serialize({ _id: 1 }));
  await rm(join(path, "log.bson"));
  const dump = await openDump(path, undefined, signal);
  const check = (name: string) => dump.collections.find(({ info }) => info.name === name)?.check(signal);
  await expect(check("customers")).rejects.toThrow(/customers\.bson ends in the middle/);
  await expect(check("orders")).rejects.toThrow(/pointer of Git LFS/);
  await expect(check("huge")).rejects.toThrow(/impossible length/);
  await check("alone");
  await check("mixed ids");
  const alone = dump.collections.find(({ info }) => info.name === "alone");
  expect(alone?.altered.map(({ key }) => key)).toEqual(["metadata alone"]);
  expect(dump.notCopied.map(({ name }) => name)).toEqual(["log", "visits"]);
  await dump.close();
});

it("of several databases one must be named, and an oplog and links beside them are not read", async () => {
  const path = join(folder, "several");
  for (const name of ["ordersDB", "other", "admin"])
    await cp(join(FIXTURES, "plain/ordersDB"), join(path, name), { recursive: true });
  await writeFile(join(path, "oplog.bson"), serialize({ op: "n" }));
  await symlink("/", join(path, "elsewhere"));
  await symlink(join(path, "other", "orders.bson"), join(path, "ordersDB", "linked.bson"));
  expect(await isDump(path)).toBe(true);
  await expect(openDump(path, undefined, signal)).rejects.toThrow(/several databases: .*ordersDB.*other/);
  await expect(openDump(path, "elsewhere", signal)).rejects.toThrow(/holds no database elsewhere/);
  const dump = await openDump(path, "ordersDB", signal);
  expect(dump.collections).toHaveLength(7);
  expect(dump.notCopied.map(({ name, isLoss }) => [name, isLoss === true])).toEqual([
    ["admin", false],
    ["elsewhere", false],
    ["linked.bson", true],
    ["oplog.bson", true],
    ["other", false],
    ["visits", true],
  ]);
  await dump.close();
});

it("a compressed file with a wrong bit gives the same documents or none", async () => {
  const path = join(folder, "flipped", "ordersDB");
  await cp(join(FIXTURES, "gzip/ordersDB"), path, { recursive: true });
  const whole = await contents(await openDump(path, undefined, signal));
  let refused = 0;
  for (const name of ["customers.bson.gz", "customers.metadata.json.gz"]) {
    const file = join(path, name);
    const original = await readFile(file);
    for (let at = 0; at < original.length; at += 23) {
      const flipped = Buffer.from(original);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      await writeFile(file, flipped);
      await assertSafe(path, whole);
      const dump = await openDump(path, undefined, signal);
      const customers = dump.collections.find(({ info }) => info.name === "customers");
      const isGiven = customers !== undefined && customers.altered.length === 0;
      if (
        !isGiven ||
        !(await customers.check(signal).then(
          () => true,
          () => false,
        ))
      )
        refused++;
      await dump.close();
    }
    await writeFile(file, original);
  }
  expect(refused).toBeGreaterThan(20);
}, 60_000);

it("a compressed file that is cut off anywhere is refused", async () => {
  const path = join(folder, "gz", "ordersDB");
  await cp(join(FIXTURES, "gzip/ordersDB"), path, { recursive: true });
  const file = join(path, "customers.bson.gz");
  const original = await readFile(file);
  for (let length = 0; length < original.length; length += 29) {
    await writeFile(file, original.subarray(0, length));
    const dump = await openDump(path, undefined, signal);
    const customers = dump.collections.find(({ info }) => info.name === "customers");
    await expect(customers?.check(signal)).rejects.toThrow(/customers\.bson\.gz/);
    await dump.close();
  }
});
