import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import { collectionOf, compare, findings, folder, refuseHashes, TIERS } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const from = (): Db => pair.from.db(pair.database);
const to = (): Db => pair.to.db(pair.database);

interface Order {
  _id: number;
  [field: string]: unknown;
}

const SECRET = "Wohnungstraße 7, s3cr3t";

/** The same orders on both sides, except the first `different` of them, whose secret is another. */
async function fill(collection: string, different = 0, count = 20): Promise<void> {
  for (const [side, db] of [from(), to()].entries()) {
    const orders = Array.from({ length: count }, (_, _id) => ({
      _id,
      open: _id % 2 === 0,
      secret: _id < different ? `${SECRET} ${side}` : SECRET,
    }));
    await db.collection<Order>(collection).insertMany(orders);
  }
}

describe("selection of what is compared", () => {
  it("--include, --exclude and --filter select what is compared, and the verdict says so", async () => {
    await fill("orders", 1);
    await fill("customers");
    await fill("logs", 2);
    expect((await compare(pair)).summary?.differences).toBe(3);
    const some = await compare(pair, [
      "--include",
      "*s",
      "--exclude",
      "logs",
      "--filter",
      'orders={"open":false}',
    ]);
    expect([some.code, some.summary?.collections], some.stdout).toEqual([0, 2]);
    expect(collectionOf(some, "orders")).toMatchObject({ sourceDocuments: 10, equal: 10 });
    expect(some.summary?.verdict).toMatch(/without what --include, --exclude and --filter leave out/);
    const none = await compare(pair, ["--include", "nosuch"]);
    expect(none.code).toBe(6);
    expect((await compare(pair, ["--filter", 'nosuch={"a":1}'])).code).toBe(6);
    expect((await compare(pair, ["--filter", 'orders={"secret":{"$where":"1"}}'])).code).toBe(2);
  });

  it("--filter also selects what only the copy's documents match", async () => {
    await fill("orders");
    await to()
      .collection<Order>("orders")
      .updateOne({ _id: 1 }, { $set: { open: true } });
    await from()
      .collection<Order>("orders")
      .updateOne({ _id: 3 }, { $set: { open: true } });
    for (const side of [[], ["sourceProxy", "targetProxy"]] as const) {
      refuseHashes(pair, side);
      const compared = await compare(pair, ["--filter", 'orders={"open":true}']);
      expect([compared.code, findings(compared)]).toEqual([1, ["changed 1", "changed 3"]]);
    }
  });

  it("--rename is followed, for views on renamed collections, too", async () => {
    await fill("orders", 1);
    await from().createCollection("open", { viewOn: "orders", pipeline: [] });
    await to().collection("orders").rename("bills");
    await to().createCollection("open", { viewOn: "bills", pipeline: [] });
    expect((await compare(pair)).code).toBe(1);
    const compared = await compare(pair, ["--rename", "orders=bills"]);
    expect(findings(compared)).toEqual(["changed 0"]);
    expect(compared.differences[0]).toMatchObject({ collection: "orders", targetCollection: "bills" });
    await to()
      .collection<Order>("bills")
      .updateOne({ _id: 0 }, { $set: { secret: `${SECRET} 0` } });
    expect((await compare(pair, ["--rename", "orders=bills"])).code).toBe(0);
  });

  it("--exclude leaves out what an excluded collection is renamed to", async () => {
    await fill("orders");
    await fill("logs", 5);
    await to().collection("logs").rename("journal");
    const compared = await compare(pair, ["--rename", "logs=journal", "--exclude", "logs"]);
    expect([compared.code, findings(compared)], compared.stdout).toEqual([0, []]);
  });

  it("--one-way counts only the source's documents", async () => {
    await fill("orders");
    await to()
      .collection<Order>("orders")
      .insertMany([{ _id: 100 }, { _id: 101 }]);
    const compared = await compare(pair, ["--one-way"]);
    expect([compared.code, findings(compared)]).toEqual([0, ["extra 100", "extra 101"]]);
    expect(compared.summary?.verdict).toMatch(/^Identical except for 2 differences/);
    await to().collection<Order>("orders").deleteOne({ _id: 3 });
    expect((await compare(pair, ["--one-way"])).code).toBe(1);
  });

  it("--ignore-field-order ignores the order of fields, and the verdict says so", async () => {
    await fill("orders");
    await to().collection<Order>("orders").replaceOne({ _id: 3 }, { secret: SECRET, open: false });
    expect(findings(await compare(pair))).toEqual(["changed 3"]);
    for (const { refusing } of [TIERS[0], TIERS[3]]) {
      refuseHashes(pair, refusing);
      const compared = await compare(pair, ["--ignore-field-order"]);
      expect([compared.code, compared.summary?.exact], compared.stdout).toEqual([0, false]);
      expect(compared.summary?.verdict).toMatch(/ignoring the order of fields/);
    }
    await to()
      .collection<Order>("orders")
      .updateOne({ _id: 3 }, { $set: { open: true } });
    expect((await compare(pair, ["--ignore-field-order"])).code).toBe(1);
  });
});

describe("known differences", () => {
  it("--accept accepts the difference of one document by its key, and no other", async () => {
    await fill("orders", 2);
    const one = await compare(pair, ["--accept", "document orders/0"]);
    expect([one.code, one.summary?.differences, one.summary?.accepted]).toEqual([1, 1, 1]);
    const both = await compare(pair, ["--accept", "document orders/0", "--accept", "document orders/1"]);
    expect([both.code, both.summary?.accepted]).toEqual([0, 2]);
    const unused = await compare(pair, ["--accept", "document orders/17"]);
    expect([unused.code, unused.stdout]).toEqual([1, expect.stringContaining("matches no difference")]);
  });

  it("a difference keeps the date of when it was first seen over runs in one folder", async () => {
    const cwd = folder();
    await fill("orders", 1);
    const first = await compare(pair, [], { cwd });
    await to().collection<Order>("orders").deleteOne({ _id: 7 });
    const second = await compare(pair, [], { cwd });
    const seen = (compared: typeof first, id: string) =>
      compared.differences.find((found) => found.id === id);
    expect(seen(second, "0")?.firstSeen).toBe(seen(first, "0")?.firstSeen);
    expect(Date.parse(String(seen(second, "0")?.lastSeen))).toBeGreaterThan(
      Date.parse(String(seen(first, "0")?.lastSeen)),
    );
    expect(seen(second, "7")?.firstSeen).toBe(seen(second, "7")?.lastSeen);
  });

  it("a difference keeps the date of when it was first seen over a run that leaves out its collection", async () => {
    const cwd = folder();
    await fill("orders", 1);
    const first = await compare(pair, [], { cwd });
    await fill("others");
    expect((await compare(pair, ["--include", "others"], { cwd })).code).toBe(0);
    const third = await compare(pair, [], { cwd });
    const [before, after] = [first, third].map(({ differences }) => differences.find(({ id }) => id === "0"));
    expect(before?.firstSeen).toBeDefined();
    expect(after?.firstSeen).toBe(before?.firstSeen);
  });
});

describe("limits of a comparison", () => {
  it("--max-diffs ends a comparison with 1, and nothing is called complete", async () => {
    await fill("orders", 20);
    const cwd = folder();
    const compared = await compare(pair, ["--max-diffs", "3", "--plan", "p.plan"], { cwd });
    expect([compared.code, compared.summary?.complete]).toEqual([1, false]);
    expect(compared.summary?.verdict).toMatch(/\(--max-diffs\).*The comparison is incomplete/);
    expect(Number(compared.summary?.differences)).toBeGreaterThanOrEqual(3);
    expect(planOf(cwd).at(-1)).toMatchObject({ end: true, complete: false });
    expect((await compare(pair, ["--max-diffs", "0"])).code).toBe(2);
  });

  it("--max-minutes ends a comparison with 12, and the next runs resume it until all is compared", {
    timeout: 180_000,
  }, async () => {
    const cwd = folder();
    const collections = Array.from({ length: 12 }, (_, n) => `c${n}`);
    const text = "x".repeat(5_000);
    for (const name of collections)
      for (const db of [from(), to()])
        await db.collection<Order>(name).insertMany(Array.from({ length: 30 }, (_, _id) => ({ _id, text })));
    refuseHashes(pair, TIERS[3].refusing);
    pair.sourceProxy.throttle(500_000);
    const flags = ["--max-minutes", "0.03", "--concurrency", "2"];
    const codes: (number | null)[] = [];
    let last = await compare(pair, flags, { cwd });
    for (codes.push(last.code); last.code === 12 && codes.length < 20; codes.push(last.code)) {
      expect(last.summary).toMatchObject({ complete: false, differences: 0 });
      expect(last.summary?.verdict).toMatch(
        /not everything was compared.*\(--max-minutes\).*within a day to resume/,
      );
      last = await compare(pair, flags, { cwd });
    }
    expect([last.code, codes.length > 1], codes.join()).toEqual([0, true]);
    expect(last.summary).toMatchObject({ complete: true, equal: 360, scanned: 720 });
    // What was compared is not read again: the last run had less than all to do.
    expect(Number(last.summary?.bytesRead)).toBeLessThan(2_500_000);
  });
});

function planOf(cwd: string): Record<string, unknown>[] {
  return readFileSync(join(cwd, "p.plan"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

it("no value of any field is shown or saved unless --values asks for it", async () => {
  await fill("orders", 2);
  await to().collection<Order>("orders").deleteOne({ _id: 9 });
  await to().collection<Order>("orders").insertOne({ _id: 90, secret: SECRET });
  const cwd = folder();
  const flags = ["--settle", "0", "--plan", "p.plan", "--report", "r.html"];
  const shown = [
    await pair.run(["diff", ...flags, "--verbose"], cwd),
    await pair.run(["diff", ...flags, "--json"], cwd),
  ];
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThanOrEqual(3);
  const all = [
    ...shown.flatMap(({ stdout, stderr }) => [stdout, stderr]),
    ...files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8")),
  ];
  for (const text of all) expect(text).not.toMatch(/Wohnung|s3cr3t/);
  expect(shown.map(({ code }) => code)).toEqual([1, 1]);
  expect(
    planOf(cwd)
      .slice(1, -1)
      .map(({ do: action, id }) => `${action} ${id}`)
      .sort(),
  ).toEqual(["insert 9", "remove 90", "replace 0", "replace 1"]);
  expect(planOf(cwd).at(-1)).toMatchObject({ end: true, rows: 4, complete: true });
  const values = await pair.run(["diff", "--settle", "0", "--values"], cwd);
  expect(values.stdout).toMatch(/s3cr3t 0.*s3cr3t 1/);
});

describe("saved state of a comparison", () => {
  const stateOf = (cwd: string): string =>
    join(cwd, ".dualsync", readdirSync(join(cwd, ".dualsync")).find((name) => name.endsWith(".json")) ?? "");

  it("a damaged state file is rejected, and discarded by --restart", async () => {
    const cwd = folder();
    await fill("orders");
    expect((await compare(pair, [], { cwd })).code).toBe(0);
    const whole = readFileSync(stateOf(cwd), "utf8");
    for (const damaged of [
      whole.slice(0, -20),
      whole.replace(/\d(?=\D*$)/, "x"),
      "",
      "{}",
      whole.replace("past", "post"),
    ]) {
      writeFileSync(stateOf(cwd), damaged);
      const compared = await compare(pair, [], { cwd });
      expect([compared.code, compared.error?.hint], damaged).toEqual([
        9,
        expect.stringContaining("--restart"),
      ]);
    }
    expect((await compare(pair, ["--restart"], { cwd })).code).toBe(0);
    expect((await compare(pair, [], { cwd })).code).toBe(0);
  });

  it("a comparison is refused when its state cannot be saved", async () => {
    const cwd = folder();
    await fill("orders");
    writeFileSync(join(cwd, ".dualsync"), "not a folder");
    const compared = await compare(pair, [], { cwd });
    expect(compared.code, compared.stdout).toBe(9);
  });

  it("a comparison is refused when the plan or the page cannot be written", async () => {
    const cwd = folder();
    await fill("orders", 1);
    mkdirSync(join(cwd, "d"));
    for (const flag of ["--plan", "--report"])
      for (const path of ["d", "nosuch/file"]) {
        const compared = await compare(pair, [flag, path], { cwd });
        expect(compared.code, `${flag} ${path} ${compared.stdout}`).toBe(9);
      }
  });
});

it("a plan and a page with the same file name are rejected", async () => {
  const cwd = folder();
  const refused = await compare(pair, ["--plan", "result", "--report", "./result"], { cwd });
  expect([refused.code, refused.error?.message]).toEqual([2, expect.stringMatching(/the same file/)]);
  expect(readdirSync(cwd)).toEqual([]);
});
