import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { collectionRecord, dualsync, records } from "../../support/cli.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Wrong commands: each is refused with 6, says why and what to do, and changes nothing. */
const pair = serverPair();

interface Row {
  readonly _id: number;
  readonly n: number;
}

async function fill(side: "from" | "to", collection: string, ids: readonly number[], n = 0): Promise<void> {
  await pair[side]
    .db(pair.database)
    .collection<Row>(collection)
    .insertMany(ids.map((_id) => ({ _id, n })));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

/** Runs `flags` and expects a refusal that leaves the target as it was. */
async function refused(...flags: string[]): Promise<string> {
  const before = await snapshot(pair.to, pair.database);
  const { code, stderr, stdout } = await pair.duplicate(...flags);
  expect([code, stdout]).toEqual([6, ""]);
  expectExplained(stderr, 6);
  expect(await snapshot(pair.to, pair.database)).toEqual(before);
  return stderr;
}

it("refuses a target with documents that dualsync did not copy, and names their collections", async () => {
  await fill("from", "orders", upTo(5));
  await fill("to", "orders", upTo(3), 1);
  const said = await refused();
  expect(said).toMatch(/holds documents that dualsync did not copy there.*"orders" \(3\)/);
  expect(said).toContain(`--into-existing ${pair.database}`);
  const names = (await pair.to.db(pair.database).listCollections().toArray()).map(({ name }) => name);
  expect(names).toEqual(["orders"]);
});

it("adopts an existing copy once its name is given, shows what would change, and never asks again", async () => {
  await fill("from", "orders", upTo(10));
  await fill("to", "orders", [0, 1, 2, 3]);
  await fill("to", "orders", [4, 5, 99], 1);
  const named = ["--json", "--into-existing", pair.database];
  const dry = await pair.duplicate("--dry-run", ...named);
  const [start] = records(dry.stdout).filter(({ type }) => type === "start");
  expect(start?.collections).toMatchObject([
    { source: "orders", found: { equal: 4, different: 2, missing: 4, extra: 1, examples: ["4", "5"] } },
  ]);
  expect(dry.code).toBe(0);
  const adopted = await pair.duplicate(...named);
  expect(adopted.code).toBe(0);
  expect(collectionRecord(adopted.stdout, "orders")).toMatchObject({ unchanged: 4, written: 6, extra: 1 });
  const later = await pair.duplicate("--json");
  expect(later.code).toBe(0);
  expect(collectionRecord(later.stdout, "orders")).toMatchObject({ unchanged: 10, written: 0 });
});

it("shows how many documents of an existing copy are equal, differ, or are only in the target", async () => {
  await fill("from", "orders", upTo(10));
  await fill("to", "orders", [4, 5, 99], 1);
  const { stdout } = await pair.duplicate("--dry-run", "--into-existing", pair.database);
  expect(stdout).toMatch(/orders .* adopt \(0 equal, 2 differ, 1 only in the target\)/);
  expect(stdout).toMatch(/orders: 2 documents differ from the source's and would be replaced: 4, 5\./);
});

it("accepts no other name than the target's for --into-existing, and no --delete beside it", async () => {
  await fill("from", "orders", upTo(2));
  await fill("to", "orders", [7]);
  const other = await pair.duplicate("--into-existing", "shop");
  expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/--into-existing names "shop"/)]);
  const both = await pair.duplicate("--into-existing", pair.database, "--delete", "--yes");
  expect([both.code, both.stderr]).toEqual([2, expect.stringMatching(/cannot be used together/)]);
  expect(await pair.to.db(pair.database).collection("orders").countDocuments()).toBe(1);
});

it("refuses a swapped pair, so that a copy is not copied over its original", async () => {
  await fill("from", "orders", upTo(20));
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from
    .db(pair.database)
    .collection<Row>("orders")
    .updateMany({}, { $set: { n: 7 } });
  const before = await snapshot(pair.from, pair.database);
  const env = {
    LIVE: withDatabase(pair.target.uri, pair.database),
    // Under another name for its host: the collections decide, not the address.
    COPY: withDatabase(pair.source.uri, pair.database).replace("127.0.0.1", "localhost"),
  };
  const swapped = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY"];
  for (const flags of [[], ["--into-existing", pair.database], ["--dry-run"]]) {
    const { code, stderr } = await dualsync([...swapped, ...flags], { env });
    expect([code, stderr], flags.join(" ")).toEqual([6, expect.stringMatching(/look swapped/)]);
    expectExplained(stderr, code);
  }
  expect(await snapshot(pair.from, pair.database)).toEqual(before);
});

it("recognizes a swapped pair by its address, too, unless --into-existing names the target", async () => {
  await fill("from", "orders", upTo(20));
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from.db(pair.database).dropDatabase();
  await fill("from", "orders", upTo(3), 7);
  const env = {
    LIVE: withDatabase(pair.target.uri, pair.database),
    COPY: withDatabase(pair.source.uri, pair.database),
  };
  const swapped = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY"];
  const { code, stderr } = await dualsync(swapped, { env });
  expect([code, stderr]).toEqual([6, expect.stringMatching(/look swapped.*add --into-existing/s)]);
  const named = await dualsync([...swapped, "--into-existing", pair.database], { env });
  expect([named.code, named.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
});

it("copies a copy back to where it came from once nothing is left there", async () => {
  await fill("from", "orders", upTo(20));
  const before = await snapshot(pair.from, pair.database);
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from.db(pair.database).dropDatabase();
  const env = {
    LIVE: withDatabase(pair.target.uri, pair.database),
    COPY: withDatabase(pair.source.uri, pair.database),
  };
  const { code, stderr } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], { env });
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
  expect(await snapshot(pair.from, pair.database)).toEqual(before);
});

it("refuses a copy of another source as its target, and names that source", async () => {
  await fill("from", "orders", upTo(5));
  expect((await pair.duplicate()).code).toBe(0);
  const other = `${pair.database}_other`;
  await pair.from.db(other).collection<Row>("orders").insertOne({ _id: 1, n: 9 });
  const before = await snapshot(pair.to, pair.database);
  const env = {
    LIVE: withDatabase(pair.source.uri, other),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const { code, stderr } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], { env });
  await pair.from.db(other).dropDatabase();
  expect(code).toBe(6);
  expect(stderr).toMatch(new RegExp(`They were copied from .*/${pair.database}\\.`));
  expect(await snapshot(pair.to, pair.database)).toEqual(before);
});

it("recognizes its copy when the source is reached under another name", async () => {
  await fill("from", "orders", upTo(5));
  expect((await pair.duplicate()).code).toBe(0);
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database).replace("127.0.0.1", "localhost"),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const { code, stdout } = await dualsync(["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"], {
    env,
  });
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "orders")).toMatchObject({ unchanged: 5, written: 0 });
});

it("refuses to copy two collections into one", async () => {
  await fill("from", "orders", upTo(5));
  await fill("from", "archive", upTo(3), 1);
  const { code, stderr } = await pair.duplicate("--rename", "archive=orders");
  expect([code, stderr]).toEqual([6, expect.stringMatching(/Two collections would be copied into "orders"/)]);
  expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
});

it("distinguishes its own collection from a later one of the same name", async () => {
  await fill("from", "orders", upTo(5));
  expect((await pair.duplicate()).code).toBe(0);
  await pair.to.db(pair.database).dropCollection("orders");
  await fill("to", "orders", [1], 3);
  expect(await refused()).toMatch(/did not copy there/);
});

it("deletes nothing when the source has shrunk to less than half, unless that is allowed", async () => {
  await fill("from", "orders", upTo(100));
  await fill("from", "people", upTo(100));
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from
    .db(pair.database)
    .collection<Row>("orders")
    .deleteMany({ _id: { $gte: 49 } });
  expect(await refused("--delete", "--yes")).toMatch(/shrunk.*source holds 49 .*target 100.*--allow-shrink/s);
  const without = await pair.duplicate("--json");
  expect(collectionRecord(without.stdout, "orders")).toMatchObject({ read: 49, extra: 51, deleted: 0 });
  const allowed = await pair.duplicate("--json", "--delete", "--yes", "--allow-shrink");
  expect(allowed.code).toBe(0);
  expect(collectionRecord(allowed.stdout, "orders")).toMatchObject({ deleted: 51, extra: 0 });
  await pair.from
    .db(pair.database)
    .collection<Row>("people")
    .deleteMany({ _id: { $gte: 50 } });
  const half = await pair.duplicate("--json", "--delete", "--yes");
  expect(collectionRecord(half.stdout, "people")).toMatchObject({ deleted: 50 });
});

it("deletes nothing when what a filter selects has shrunk to less than half, or to nothing", async () => {
  await fill("from", "orders", upTo(20));
  expect((await pair.duplicate()).code).toBe(0);
  const orders = pair.from.db(pair.database).collection<Row>("orders");
  await orders.deleteMany({ _id: { $gte: 9 } });
  await fill(
    "from",
    "orders",
    upTo(20).map((n) => n + 100),
    1,
  );
  const selected = ["--quiet", "--delete", "--yes", "--filter", 'orders={"n":0}'];
  expect(await refused(...selected)).toMatch(
    /shrunk.*source holds 9 .*target 20.*Nothing was removed from it/s,
  );
  await orders.deleteMany({ n: 0 });
  expect(await refused(...selected, "--allow-shrink")).toMatch(/"orders" was empty when the source was read/);
});

it("compares only what a filter selects when it checks whether the source has shrunk", async () => {
  await fill("from", "orders", upTo(10));
  await fill(
    "from",
    "orders",
    upTo(20).map((n) => n + 100),
    1,
  );
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from.db(pair.database).collection<Row>("orders").deleteMany({ n: 1 });
  const { code, stderr } = await pair.duplicate("--delete", "--yes", "--filter", 'orders={"n":0}');
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/shrunk/)]);
  expect(await pair.to.db(pair.database).collection("orders").countDocuments()).toBe(30);
});

it("reports collections that only the target has, and leaves them alone", async () => {
  await fill("from", "orders", upTo(5));
  await fill("to", "notes", upTo(2));
  const { code, stdout } = await pair.duplicate();
  expect(code).toBe(0);
  expect(stdout).toContain("Only in the target, and kept: notes.");
  expect(await pair.to.db(pair.database).collection("notes").countDocuments()).toBe(2);
});
