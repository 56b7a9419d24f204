import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import type { RedisStatus } from "../../services/redis/resp.ts";
import {
  fillSkinvault,
  fillSkinvaultBackup,
  type RunRedis,
  SKINVAULT_KEYS,
  skinvaultValues,
} from "../../shops/skinvault.ts";
import { type CliResult, collectionRecord, records, summary } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/** A KV store that is refilled from its copy in MongoDB. */
const pair = kvPair();

const redis: RunRedis = (...command) => pair.redis(...command);
const copy = () => pair.to.db(pair.database);
const collection = (name: string) => copy().collection<Document>(name);
const confirmed = () => ["--apply", "--confirm", pair.kv];

async function textOf(key: string): Promise<string | undefined> {
  const value = (await redis("GET", key)) as Uint8Array | null;
  return value === null ? undefined : Buffer.from(value).toString();
}

async function keysInKv(): Promise<string[]> {
  const keys = (await redis("KEYS", "*")) as Uint8Array[];
  return keys.map((key) => Buffer.from(key).toString()).sort();
}

function notesOf({ stdout }: CliResult): string {
  const { notes } = records(stdout).find(({ type }) => type === "start") as { notes: readonly string[] };
  return notes.join("\n");
}

/** Fails with what the command printed. */
async function expectCode(code: number, result: CliResult | Promise<CliResult>): Promise<CliResult> {
  const done = await result;
  expect(done.code, done.stdout + done.stderr).toBe(code);
  return done;
}

describe("the fourth shop on its worst day", () => {
  it("gets a wiped KV store back from the application's own backup, and everything is in step afterwards", async () => {
    await fillSkinvaultBackup(pair.to, pair.database);
    const cwd = newFolder();
    const run = (...args: string[]) => pair.run(args, cwd);
    const shown = await expectCode(6, run("restore", "--json"));
    expect(notesOf(shown)).toContain("Layout of the copy: collections; dualsync did not begin this copy.");
    for (const key of Object.keys(skinvaultValues())) expect(notesOf(shown)).toContain(key);
    expect(await keysInKv()).toEqual([]);
    expect(summary(shown.stdout)).toMatchObject({
      verdict: expect.stringContaining(`dualsync restore --apply --confirm ${pair.kv}`),
    });
    const done = await expectCode(0, run("restore", "--json", ...confirmed()));
    expect(collectionRecord(done.stdout, "kv_records")).toMatchObject({ written: 6, verdict: "verified" });
    for (const [key, value] of Object.entries(skinvaultValues()))
      expect(await textOf(key)).toBe(typeof value === "string" ? value : JSON.stringify(value));
    // Neither a lock nor a mark is left.
    expect(await keysInKv()).toEqual(Object.keys(skinvaultValues()).sort());
    const compared = await expectCode(0, run("diff", "--json"));
    expect(summary(compared.stdout)).toMatchObject({ verdict: expect.stringMatching(/^Identical\./) });
    const synced = await expectCode(0, run("sync-kv", "--json"));
    expect(summary(synced.stdout)).toMatchObject({
      verdict: "In step: 6 keys equal; nothing had to be written.",
    });
  });

  it("gets back what dualsync copied, of every type, with the times at which it expires", async () => {
    await fillSkinvault(redis);
    await redis("HSET", "cart:7", "sku", "a", "count", 2);
    await pair.redis("SET", Buffer.from([0xff, 0x00, 0x80]), Buffer.from([0, 1, 2, 0xfe]));
    await redis("RPUSH", "queue", "x", "y", "x");
    await redis("SADD", "flags", "1", "2", "drei");
    await redis("XADD", "log", "5-1", "at", "door");
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    const before = await dump();
    await pair.upstash.redis.flush();
    await expectCode(0, pair.run(["restore", ...confirmed()], cwd));
    expect(await dump()).toEqual(before);
    await expectCode(0, pair.run(["diff"], cwd));
  });
});

const READ: Readonly<Record<string, readonly [string, ...(string | number)[]]>> = {
  string: ["GET"],
  hash: ["HGETALL"],
  list: ["LRANGE", 0, -1],
  set: ["SMEMBERS"],
  zset: ["ZRANGE", 0, -1, "WITHSCORES"],
  stream: ["XRANGE", "-", "+"],
};

/** What each key holds, and when it expires. */
async function dump(): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const key of (await redis("KEYS", "*")) as Uint8Array[]) {
    const { text: type } = (await pair.redis("TYPE", key)) as RedisStatus;
    const [command, ...rest] = READ[type] ?? ["GET"];
    const content = await pair.redis(command, key, ...rest);
    const isInOrder = Array.isArray(content) && !["set", "hash"].includes(type);
    const held = Array.isArray(content) ? content.map((part) => String(part)) : content;
    found[Buffer.from(key).toString("latin1")] = [
      ...[type, isInOrder || !Array.isArray(held) ? held : held.sort()],
      await pair.redis("PEXPIRETIME", key),
    ];
  }
  return found;
}

describe("a restore into a KV store that holds something", () => {
  /** A copy of all keys, then a KV store where one is missing, one differs and one is new. */
  async function drift(): Promise<string> {
    await fillSkinvault(redis);
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv", "--layout", "collections"], cwd));
    await redis("DEL", "ranking");
    await redis("SET", "notice", "Back at 9");
    await redis("SET", "fresh", "1");
    return cwd;
  }

  it("adds what it lacks and changes nothing else, unless another mode is given", async () => {
    const cwd = await drift();
    const done = await expectCode(0, pair.run(["restore", "--json", ...confirmed()], cwd));
    expect(collectionRecord(done.stdout, "kv_records")).toMatchObject({ written: 1, kept: 1, extra: 1 });
    expect(await redis("ZCARD", "ranking")).toBe(3);
    expect([await textOf("notice"), await textOf("fresh")]).toEqual(["Back at 9", "1"]);
  });

  it("overwrites with --mode overwrite, and removes what the copy lacks with --mode exact --include-newer", async () => {
    const cwd = await drift();
    const shown = await expectCode(
      6,
      pair.run(["restore", "--mode", "exact", "--include-newer", "--json"], cwd),
    );
    expect(notesOf(shown)).toContain("all of them are removed");
    await expectCode(0, pair.run(["restore", "--mode", "overwrite", ...confirmed()], cwd));
    expect([await textOf("notice"), await textOf("fresh")]).toEqual(["Back at 8", "1"]);
    // Nothing tells how old a key is: it stays until that is said.
    await expectCode(0, pair.run(["restore", "--mode", "exact", ...confirmed()], cwd));
    expect(await keysInKv()).toContain("fresh");
    await expectCode(0, pair.run(["restore", "--mode", "exact", "--include-newer", ...confirmed()], cwd));
    expect(await keysInKv()).toEqual(SKINVAULT_KEYS);
    await expectCode(0, pair.run(["diff"], cwd));
  });

  it("is not merged: sync-kv is", async () => {
    const before = pair.upstash.requests.length;
    const { stderr } = await expectCode(2, pair.run(["restore", "--mode", "merge"]));
    expect(stderr).toContain("dualsync sync-kv --direction to-kv");
    expect(pair.upstash.requests).toHaveLength(before);
  });

  it("restores single keys, as reports print them", async () => {
    const cwd = await drift();
    const done = await expectCode(
      3,
      pair.run(
        [
          ...["restore", "--mode", "overwrite", "--json", ...confirmed()],
          ...["--id", "kv_records/notice", "--id", "document kv_records/nowhere"],
        ],
        cwd,
      ),
    );
    expect(collectionRecord(done.stdout, "kv_records")).toMatchObject({ written: 1 });
    expect([await textOf("notice"), await redis("EXISTS", "ranking")]).toEqual(["Back at 8", 0]);
  });

  it("leaves out what has expired since, says how much that is, and keeps what the application holds under its name", async () => {
    await redis("SET", "gone", "1", "PXAT", Date.now() + 3_600_000);
    await redis("SET", "renewed", "1", "PXAT", Date.now() + 3_600_000);
    await redis("SET", "stays", "1");
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    await collection("kv_records").updateMany(
      { _id: { $in: ["gone", "renewed"] } as never },
      { $set: { expiresAt: new Date(Date.now() - 5_000) } },
    );
    await pair.upstash.redis.flush();
    await redis("SET", "renewed", "2");
    const shown = await expectCode(6, pair.run(["restore", "--mode", "overwrite", "--json"], cwd));
    expect(notesOf(shown)).toContain("Left out: 2 documents of the copy that have expired since.");
    const done = await expectCode(
      0,
      pair.run(["restore", "--mode", "overwrite", "--json", ...confirmed()], cwd),
    );
    expect(collectionRecord(done.stdout, "kv_records")).toMatchObject({ read: 1, written: 1, rejected: 0 });
    expect([await keysInKv(), await textOf("renewed")]).toEqual([["renewed", "stays"], "2"]);
  });

  it("notes on what both sides agree: what the application changes next is known to be newer", async () => {
    await fillSkinvaultBackup(pair.to, pair.database);
    await redis("SET", "notice", "Back at 8");
    const cwd = newFolder();
    await expectCode(0, pair.run(["restore", ...confirmed()], cwd));
    // One that was written, and one that was equal before.
    await redis("SET", "visits", "10424");
    await redis("SET", "notice", "Back at 10");
    await expectCode(0, pair.run(["sync-kv"], cwd));
    expect(await collection("notice").findOne()).toMatchObject({ value: "Back at 10" });
    expect(await collection("visits").findOne()).toMatchObject({ value: 10_424 });
    // And the other way round.
    await collection("featured").updateOne({}, { $set: { value: ["Talon"] } });
    await expectCode(0, pair.run(["sync-kv", "--direction", "to-kv"], cwd));
    expect(await textOf("featured")).toBe('["Talon"]');
  });

  it("marks the store while it is half-way: no command takes anything from it before that is completed", async () => {
    await fillSkinvault(redis);
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    await pair.upstash.redis.flush();
    // Some of it is written, and then the line is cut for good.
    const cut = pair.fail({
      on: ({ commands }) => commands.some((name) => name.startsWith("EVAL")),
      reset: "before",
    });
    await expectCode(5, pair.run(["restore", ...confirmed()], cwd, { env: { SYNC_MAX_RETRIES: "0" } }));
    expect(cut.hits).toBeGreaterThan(0);
    cut.stop();
    expect(await keysInKv()).toEqual(expect.arrayContaining(["_dualsync:restoring", "pro_users"]));
    for (const args of [["diff"], ["sync-kv"], ["sync-kv", "--direction", "to-kv", "--yes"]]) {
      const { stderr } = await expectCode(6, pair.run(args, cwd));
      expect(stderr).toContain("is being restored");
    }
    await expectCode(0, pair.run(["restore", ...confirmed()], cwd));
    // What was interrupted is remembered: undoing the second one would leave the store half-way again.
    expect(await keysInKv()).toEqual(["_dualsync:restoring", ...SKINVAULT_KEYS]);
    await expectCode(0, pair.run(["diff"], cwd));
    await expectCode(0, pair.run(["sync-kv"], cwd));
  });

  it("is refused where the database holds no copy, or several, and says what to run", async () => {
    await copy()
      .collection("orders")
      .insertMany([{ n: 1 }, { n: 2 }]);
    const none = await expectCode(6, pair.run(["restore"]));
    expect(none.stderr).toContain(`${pair.database} holds no copy of a KV store`);
    await fillSkinvaultBackup(pair.to, pair.database);
    await collection("kv_records").insertOne({ _id: "a" as never, type: "string", value: "1" });
    const several = await expectCode(6, pair.run(["restore"]));
    expect(several.stderr).toContain("records (1 keys) and collections (6 keys)");
    expect(several.stderr).toContain("dualsync sync-kv --layout NAME");
  });

  it("from the copy of another store is called that, and noted nowhere as what those two agree on", async () => {
    await fillSkinvault(redis);
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    await copy()
      .collection("_dualsync_agreements")
      .updateOne({ _id: 0 as never }, { $set: { from: "other.upstash.example" } });
    await redis("SET", "notice", "Back at 11");
    const shown = await expectCode(6, pair.run(["restore", "--json"], cwd));
    expect(notesOf(shown)).toContain("This copy was filled from other.upstash.example");
    const agreed = () => copy().collection("_dualsync_agreements").find().sort({ _id: 1 }).toArray();
    const before = await agreed();
    await expectCode(0, pair.run(["restore", "--mode", "overwrite", ...confirmed()], cwd));
    expect([await textOf("notice"), await agreed()]).toEqual(["Back at 8", before]);
  });
});
