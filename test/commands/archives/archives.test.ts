import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliResult, records, summary } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";

/** Archives as people use them: written each night, listed, chosen by time, thinned out, damaged. */
const server = mongodbStore();
const TO = ["--to", "file:./archive"];
const FROM = ["--from", "file:./archive"];

const orders = () => server.client.db(server.database).collection<{ _id: number; total: number }>("orders");

/** Runs in a folder that stays. */
function runs() {
  const cwd = newFolder();
  const run = async (code: number, ...args: string[]): Promise<CliResult> => {
    const done = await server.run([...args, "--json"], cwd);
    expect(done.code, `${args.join(" ")}\n${done.stdout}${done.stderr}`).toBe(code);
    return done;
  };
  const archives = (): string[] => readdirSync(join(cwd, "archive")).sort();
  return { cwd, run, archives };
}

function notesOf({ stdout }: CliResult): string {
  const { notes } = records(stdout).find(({ type }) => type === "start") as { notes: readonly string[] };
  return notes.join("\n");
}

function errorOf({ stdout }: CliResult): Record<string, unknown> {
  return records(stdout).find(({ type }) => type === "error") ?? {};
}

async function fill(count: number, total = 1): Promise<void> {
  await orders().insertMany(Array.from({ length: count }, (_, _id) => ({ _id, total })));
}

describe("an archive", () => {
  it("is written whole or not at all, and each run writes a new one", async () => {
    await fill(10);
    const { run, archives } = runs();
    await run(0, "duplicate", ...TO);
    const [first] = archives();
    expect(first).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/);
    await run(0, "duplicate", ...TO, "--dry-run");
    expect(archives()).toEqual([first]);
    await orders().updateOne({ _id: 3 }, { $set: { total: 2 } });
    await run(0, "duplicate", ...TO);
    expect(archives()).toHaveLength(2);
    await run(0, "diff", ...TO);
  });

  it("of an earlier time is listed in the plan and taken with --at", async () => {
    await fill(5, 1);
    const { run, cwd, archives } = runs();
    await run(0, "duplicate", ...TO);
    await orders().updateMany({}, { $set: { total: 2 } });
    const between = new Date();
    await expect.poll(() => Date.now()).toBeGreaterThan(between.getTime());
    await run(0, "duplicate", ...TO);
    await orders().updateMany({}, { $set: { total: 3 } });
    const shown = await run(6, "restore", ...FROM, "--mode", "overwrite");
    expect(notesOf(shown)).toMatch(/2 archives there: .*\(verified\); .*\(verified, taken here\)/);
    expect(notesOf(shown)).toContain("not that nobody forged it");
    // A newer one may be there when the plan is carried out.
    expect(shown.stdout).toMatch(/--at \S+Z --apply --confirm/);
    const confirmed = ["--mode", "overwrite", "--apply", "--confirm", server.database];
    const early = await run(0, "restore", ...FROM, "--at", between.toISOString(), ...confirmed);
    // The one that is taken is part of the name: what another one gave is not what this one gives.
    const { source } = records(early.stdout).find(({ type }) => type === "start") ?? {};
    expect(archives().map((name) => join(cwd, "archive", name))).toContain(source);
    expect(await orders().distinct("total")).toEqual([1]);
    await run(0, "restore", ...FROM, ...confirmed);
    expect(await orders().distinct("total")).toEqual([2]);
    const before = await run(9, "restore", ...FROM, "--at", "2020-01-01");
    expect(errorOf(before)).toMatchObject({ exit: "local", message: expect.stringContaining("2020-01-01") });
  });

  it("of several stores is that of the store at the other side, or named by its own folder", async () => {
    await fill(2);
    const { run, cwd, archives } = runs();
    const uri = (database: string) => withDatabase(server.uri, database);
    await run(0, "duplicate", ...TO);
    const other = `${server.database}-other`;
    const [first] = archives();
    try {
      await server.client.db(other).collection<{ _id: number }>("orders").insertOne({ _id: 7 });
      await run(0, "duplicate", "--from", uri(other), ...TO);
      await run(0, "diff", ...TO);
      await run(0, "diff", "--from", uri(other), ...TO);
      await orders().drop();
      await run(0, "restore", ...FROM, "--apply");
      expect(await orders().countDocuments()).toBe(2);
      const elsewhere = ["--to", uri(`${other}-2`)];
      const refused = await run(2, "restore", ...FROM, ...elsewhere, "--dry-run");
      expect(errorOf(refused)).toMatchObject({ message: expect.stringContaining("of several stores") });
      const named = ["--from", `file:./archive/${first}`];
      await run(0, "restore", ...named, ...elsewhere, "--dry-run");
      expect(readdirSync(cwd)).toContain("archive");
    } finally {
      await server.client.db(other).dropDatabase();
    }
  });

  it("that is older is removed with --keep, once the new one is whole, and nothing else is", async () => {
    await fill(3);
    const { run, archives, cwd } = runs();
    await run(0, "duplicate", ...TO);
    mkdirSync(join(cwd, "archive", "photos"));
    writeFileSync(join(cwd, "archive", "photos", "a.jpg"), "mine");
    const [first = ""] = archives();
    await run(0, "duplicate", ...TO, "--keep", "2");
    expect(archives()).toContain(first);
    await run(0, "duplicate", ...TO, "--keep", "2");
    expect(archives()).not.toContain(first);
    expect(archives()).toHaveLength(3);
    expect(readFileSync(join(cwd, "archive", "photos", "a.jpg"), "utf8")).toBe("mine");
    await run(0, "duplicate", ...TO, "--keep", "1");
    expect(archives()).toHaveLength(2);
  });

  it("that is damaged or cut off is refused before anything is written, and an earlier one is not", async () => {
    await fill(2_000);
    const { run, archives, cwd } = runs();
    await run(0, "duplicate", ...TO);
    const [first] = archives();
    const good = new Date();
    await expect.poll(() => Date.now()).toBeGreaterThan(good.getTime());
    await run(0, "duplicate", ...TO);
    // Of two that begin in one second the names say nothing.
    const second = archives().find((name) => name !== first) as string;
    const path = join(cwd, "archive", second, server.database, "orders.bson");
    const bytes = readFileSync(path);
    await orders().drop();
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, flipped);
    for (const damage of [
      () => undefined,
      () => truncateSync(path, 1_000),
      () => renameSync(path, `${path}x`),
    ]) {
      damage();
      const refused = await run(9, "restore", ...FROM, "--apply", "--confirm", server.database);
      expect(errorOf(refused)).toMatchObject({ exit: "local" });
      expect(await orders().countDocuments()).toBe(0);
    }
    await run(0, "restore", ...FROM, "--at", good.toISOString(), "--apply", "--confirm", server.database);
    expect(await orders().countDocuments()).toBe(2_000);
  });

  it("under another name, or through a link, is the same archive with the same checks", async () => {
    await fill(100);
    const { run, archives, cwd } = runs();
    await run(0, "duplicate", ...TO);
    const [name = ""] = archives();
    renameSync(join(cwd, "archive", name), join(cwd, "shop"));
    symlinkSync(join(cwd, "shop"), join(cwd, "latest"));
    await orders().drop();
    for (const place of ["file:./shop", "file:./latest"]) {
      const shown = await run(0, "restore", "--from", place, "--dry-run");
      expect(notesOf(shown)).toMatch(/compared with the checksums/);
      const { source } = records(shown.stdout).find(({ type }) => type === "start") ?? {};
      expect(source).toBe(join(realpathSync(cwd), "shop"));
      await run(2, "restore", "--from", place, "--at", "2030-01-01");
    }
    cpSync(join(cwd, "shop"), join(cwd, `${name}.partial`), { recursive: true });
    await run(9, "restore", "--from", `file:./${name}.partial`, "--dry-run");
    const path = join(cwd, "shop", server.database, "orders.bson");
    const bytes = readFileSync(path);
    bytes[200] = (bytes[200] as number) ^ 1;
    writeFileSync(path, bytes);
    await run(9, "restore", "--from", "file:./latest", "--apply", "--confirm", server.database);
    renameSync(join(cwd, "shop"), join(cwd, "archive", name));
    rmSync(join(cwd, "archive", name, "manifest.json"));
    await run(9, "restore", "--from", `file:./archive/${name}`, "--apply", "--confirm", server.database);
    expect(await orders().countDocuments()).toBe(0);
  });

  it("gives back single documents by their ids", async () => {
    await fill(500);
    const { run } = runs();
    await run(0, "duplicate", ...TO, "--gzip");
    await orders().deleteMany({ _id: { $gt: 100 } });
    await run(
      0,
      "restore",
      ...FROM,
      "--id",
      "orders/77",
      "--id",
      "orders/400",
      "--apply",
      "--confirm",
      server.database,
    );
    expect(await orders().countDocuments()).toBe(102);
    expect(await orders().findOne({ _id: 400 })).toEqual({ _id: 400, total: 1 });
  });

  it("is compared on either side, and with another one", async () => {
    await fill(50);
    const { run, cwd } = runs();
    await run(0, "duplicate", ...TO);
    await orders().updateOne({ _id: 7 }, { $set: { total: 9 } });
    await run(1, "diff", ...TO);
    await run(0, "duplicate", "--to", "file:./other");
    const done = await run(1, "diff", ...FROM, "--to", "file:./other");
    expect(summary(done.stdout)).toMatchObject({ changed: 1, missing: 0, extra: 0 });
    expect(readdirSync(cwd).sort()).toContain("other");
  });

  it("is no place for what belongs to databases", async () => {
    const { run } = runs();
    for (const flags of [
      ["--delete"],
      ["--into-existing", "x"],
      ["--since", "last"],
      ["--keep", "0"],
      ["--restart"],
    ])
      await run(2, "duplicate", ...TO, ...flags);
    for (const flags of [["--keep", "3"], ["--gzip"]])
      await run(2, "duplicate", "--to", "mongodb://127.0.0.1:1/x", ...flags);
    await run(2, "restore", "--at", "2026-01-01", "--from", "mongodb://127.0.0.1:1/x");
    await run(2, "restore", ...FROM, "--at", "yesterday");
    await run(9, "restore", ...FROM);
    await run(9, "diff", ...TO);
  });
});
