import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { fillSkinvault, type RunRedis } from "../../shops/skinvault.ts";
import { type CliResult, records, summary } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";
import { runOf } from "../../support/undo-folder.ts";

/** Runs between a KV store and its copy, taken back on the side that they wrote to. */
const pair = kvPair();

const redis: RunRedis = (...command) => pair.redis(...command);
const copy = () => pair.to.db(pair.database);
const collection = (name: string) => copy().collection<Document>(name);
const confirmed = () => ["--apply", "--confirm", pair.kv];

async function textOf(key: string): Promise<string | undefined> {
  const value = (await redis("GET", key)) as Uint8Array | null;
  return value === null ? undefined : Buffer.from(value).toString();
}

/** Runs in a folder that remembers them. */
function runs() {
  const cwd = newFolder();
  return async (code: number, ...args: string[]): Promise<CliResult> => {
    const done = await pair.run([...args, "--json"], cwd);
    expect(done.code, done.stdout + done.stderr).toBe(code);
    return done;
  };
}

function itemsOf({ stdout }: CliResult): unknown[] {
  return records(stdout)
    .filter(({ type }) => type === "item")
    .map(({ key }) => key)
    .sort();
}

/** Everything in the database but what dualsync keeps there. */
async function databaseNow(): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const { name } of await copy().listCollections().toArray())
    if (!name.startsWith("_dualsync")) {
      const documents = await collection(name).find().sort({ _id: 1 }).toArray();
      if (documents.length > 0) found[name] = documents;
    }
  return found;
}

describe("a restore into KV that is taken back", () => {
  it("leaves the keys as they were, and the next run does not take them for news", async () => {
    await fillSkinvault(redis);
    const run = runs();
    await run(0, "sync-kv");
    await redis("SET", "notice", "Back at 9");
    await redis("SET", "banner", "soon over", "PXAT", Date.UTC(2098, 0, 1));
    await redis("SET", "fresh", "1");
    await redis("DEL", "ranking");
    const done = await run(0, "restore", "--mode", "exact", "--include-newer", ...confirmed());
    expect([await textOf("notice"), await textOf("fresh")]).toEqual(["Back at 8", undefined]);
    const looked = await run(0, "undo", runOf(done), "--dry-run");
    expect(summary(looked.stdout)).toMatchObject({
      verdict: expect.stringContaining("4 documents would be"),
    });
    const undone = await run(0, "undo", runOf(done), "--yes");
    expect(summary(undone.stdout)).toMatchObject({
      verdict: expect.stringContaining("4 documents put back"),
    });
    expect([await textOf("notice"), await textOf("fresh")]).toEqual(["Back at 9", "1"]);
    expect([await textOf("banner"), await redis("PEXPIRETIME", "banner")]).toEqual([
      "soon over",
      Date.UTC(2098, 0, 1),
    ]);
    expect(await redis("EXISTS", "ranking", "_dualsync:restoring", "_dualsync:lease")).toBe(0);
    // Which of the two is right is for people to say.
    const next = await run(3, "sync-kv");
    expect(itemsOf(next)).toEqual(["key banner", "key notice"]);
    expect(await collection("kv_records").findOne({ _id: "notice" as never })).toMatchObject({
      value: "Back at 8",
    });
    await run(0, "sync-kv", "--on-conflict", "kv");
    await run(1, "diff", "--settle", "0");
    expect(await collection("kv_records").findOne({ _id: "notice" as never })).toMatchObject({
      value: "Back at 9",
    });
  });

  it("leaves alone and names what the application has changed since", async () => {
    await fillSkinvault(redis);
    const run = runs();
    await run(0, "sync-kv");
    await redis("DEL", "visits", "notice");
    const done = await run(0, "restore", ...confirmed());
    await redis("INCR", "visits");
    const undone = await run(3, "undo", runOf(done), "--yes");
    expect(itemsOf(undone)).toEqual(["document kv_records/visits"]);
    expect([await textOf("visits"), await textOf("notice")]).toEqual(["10424", undefined]);
  });

  it("does not bring back what has expired since", async () => {
    await redis("SET", "kept", "1");
    await redis("SET", "short", "copied");
    const run = runs();
    await run(0, "sync-kv");
    const end = Date.now() + 1_500;
    await redis("SET", "short", "of the application", "PXAT", end);
    await redis("SET", "new", "of the application", "PXAT", end);
    const done = await run(0, "restore", "--mode", "exact", "--include-newer", ...confirmed());
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(end);
    const undone = await run(0, "undo", runOf(done), "--yes");
    expect(itemsOf(undone)).toEqual([]);
    expect(await redis("EXISTS", "short", "new")).toBe(0);
    expect(await textOf("kept")).toBe("1");
    await run(0, "undo", runOf(done), "--yes");
  });
});

describe.each(["records", "collections"])("sync-kv in the layout %s that is taken back", (layout) => {
  const placeOf = (key: string) =>
    layout === "records"
      ? { place: collection("kv_records"), id: { _id: key as never } }
      : { place: collection(key), id: {} };

  it("puts back what it wrote to KV, and does not write it again", async () => {
    await fillSkinvault(redis);
    const run = runs();
    await run(0, "sync-kv", "--layout", layout);
    const { place, id } = placeOf("notice");
    await place.updateOne(id, { $set: { value: "Back at 10" } });
    await redis("DEL", "featured");
    const done = await run(0, "sync-kv", "--direction", "to-kv");
    expect([await textOf("notice"), await textOf("featured")]).toEqual([
      "Back at 10",
      '["Karambit","Butterfly"]',
    ]);
    await run(0, "undo", runOf(done), "--yes");
    expect([await textOf("notice"), await textOf("featured")]).toEqual(["Back at 8", undefined]);
    const next = await run(3, "sync-kv", "--direction", "both");
    expect(itemsOf(next)).toEqual(["key notice"]);
    expect(await textOf("notice")).toBe("Back at 8");
    expect(await place.findOne(id)).toMatchObject({ value: "Back at 10" });
  });

  it("leaves in KV what the application itself wrote there meanwhile, though it is the same", async () => {
    await redis("SET", "kept", "1");
    await redis("SET", "notice", "Back at 8");
    await redis("HSET", "options", "sound", "on");
    await redis("SET", "other", "2");
    const run = runs();
    await run(0, "sync-kv", "--layout", layout);
    await redis("DEL", "notice", "kept", "options");
    const race = pair.fail({
      on: ({ commands }) => commands.includes("MSETNX"),
      times: 1,
      before: async () => {
        await redis("SET", "notice", "Back at 8");
        await redis("HSET", "options", "sound", "on");
      },
    });
    const done = await run(0, "sync-kv", "--direction", "to-kv", "--allow-shrink");
    expect(race.hits).toBe(1);
    await run(0, "undo", runOf(done), "--yes");
    expect([
      await textOf("notice"),
      await textOf("kept"),
      String(await redis("HGET", "options", "sound")),
    ]).toEqual(["Back at 8", undefined, "on"]);
  });

  it("puts back what it overwrote and removed in MongoDB, as the application had written it", async () => {
    await fillSkinvault(redis);
    const run = runs();
    await run(0, "sync-kv", "--layout", layout);
    const notice = placeOf("notice");
    await notice.place.updateOne(notice.id, { $set: { value: "of the application", note: "mine" } });
    const ranking = collection("kv_records");
    await ranking.updateOne({ _id: "ranking" as never }, { $set: { note: "mine, too" } });
    await redis("SET", "notice", "Back at 9");
    await redis("DEL", "ranking", "featured");
    const before = await databaseNow();
    const done = await run(0, "sync-kv", "--on-conflict", "kv", "--delete", "--yes");
    expect(await databaseNow()).not.toEqual(before);
    await run(0, "undo", runOf(done), "--yes");
    expect(await databaseNow()).toEqual(before);
    // It is known that KV held something newer: people decide.
    const next = await run(3, "sync-kv");
    expect(itemsOf(next)).toContain("key notice");
    expect(await notice.place.findOne(notice.id)).toMatchObject({ value: "of the application" });
  });
});

describe("a key whose copy moved to another place", () => {
  it("is where it was when that is taken back, be it to a collection of its own or from there", async () => {
    await fillSkinvault(redis);
    const run = runs();
    await run(0, "sync-kv", "--layout", "collections");
    const before = await databaseNow();
    await redis("DEL", "ranking", "featured");
    await redis("SET", "ranking", '["u2","u1","u3"]');
    await redis("RPUSH", "featured", "Karambit", "Butterfly");
    const done = await run(0, "sync-kv");
    expect(await collection("ranking").countDocuments()).toBe(1);
    expect(await collection("featured").countDocuments()).toBe(0);
    await run(0, "undo", runOf(done), "--yes");
    expect(await databaseNow()).toEqual(before);
  });
});
