import type { Document } from "mongodb";
import { beforeEach, describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { failure, texts, tooManyRequests } from "../../services/upstash/answers.ts";
import type { Effect } from "../../services/upstash/faults.ts";
import { fillSkinvault, SKINVAULT_KEYS, skinvaultValues } from "../../shops/skinvault.ts";
import { records } from "../../support/cli.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";
import { runWaiting } from "./waiting-run.ts";

/**
 * A shop that reads and writes KV, and falls back to MongoDB key by key: what it meets in normal times, in an outage, and after it. The
 * application itself is played by hand.
 */
describe.runIf(await canRunRedis())("a shop on KV with its copy in MongoDB, one collection a key", () => {
  const pair = kvPair();

  const sync = (...flags: string[]) => pair.run(["sync-kv", ...flags]);
  const kvValue = async (key: string): Promise<unknown> => JSON.parse(String(await pair.redis("GET", key)));
  const mongodb = () => pair.to.db(pair.database);

  /** What the application finds in the copy. */
  async function mongodbValue(key: string): Promise<unknown> {
    const found = await mongodb().collection<Document>(key).findOne();
    return found?.value;
  }

  /** What the application does when it writes a key while KV does not serve. */
  async function writeMongodb(key: string, value: unknown): Promise<void> {
    await mongodb()
      .collection<Document>(key)
      .updateOne({}, { $set: { key, value, updatedAt: new Date() } }, { upsert: true });
  }

  async function status(): Promise<unknown[]> {
    const { code, stdout } = await sync("--check", "--json");
    const [record] = records(stdout);
    return [record?.status, code];
  }

  const { pro_users: users, settings } = skinvaultValues({ users: 5 });
  const CHANGED = [{ id: "u1", name: "Zoë", balance: 7.25 }];

  beforeEach(async () => {
    await fillSkinvault(pair.redis, { users: 5 });
    const { code } = await sync("--layout", "collections");
    expect(code).toBe(0);
  });

  it("normal: every night the copy is what KV holds, and the application could read it", async () => {
    expect(await mongodbValue("pro_users")).toEqual(users);
    expect(await mongodbValue("settings")).toEqual(settings);
    expect(await mongodbValue("notice")).toBe("Back at 8");
    expect(await mongodb().collection<Document>("kv_records").findOne()).toMatchObject({
      _id: "ranking",
      type: "zset",
    });
    await pair.redis("SET", "pro_users", JSON.stringify(CHANGED));
    await pair.redis("SET", "drop", '{"at":1}');
    const night = await sync("--json");
    expect(records(night.stdout).at(-1)).toMatchObject({
      ...{ exitCode: 0, copyWritten: 2, equal: SKINVAULT_KEYS.length - 1, primaryWritten: 0 },
    });
    expect([await mongodbValue("pro_users"), await mongodbValue("drop")]).toEqual([CHANGED, { at: 1 }]);
    const quiet = await sync("--quiet");
    expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, "", ""]);
    expect(await status()).toEqual(["kv", 0]);
  });

  const limits: readonly (readonly [string, Effect])[] = [
    ["429", { answer: tooManyRequests(3_600) }],
    ["a quota's text under 400", { answer: failure(400, texts.monthlyQuota()) }],
    ["a quota's text under 200", { answer: failure(200, texts.dailyQuota()) }],
    ["a quota's text in the items of a pipeline", { items: { error: texts.monthlyQuota() } }],
  ];
  it.each(limits)("KV limited by %s: nothing is changed, and it is said what to do", async (_, effect) => {
    const before = await mongodb().collection<Document>("pro_users").find().toArray();
    pair.fail(effect);
    for (const flags of [[], ["--direction", "to-kv"], ["--direction", "both"]]) {
      const { code, stderr } = await sync(...flags);
      expect(code, stderr).toBe(flags[1] === "to-kv" ? 5 : 4);
      expect(stderr).toMatch(/quota|too many requests/);
      expect(stderr).toContain("run the same command again to resume");
    }
    expect(await mongodb().collection<Document>("pro_users").find().toArray()).toEqual(before);
    expect(await status()).toEqual(["mongodb", 4]);
  });

  it("KV recovers: it is given what was written meanwhile, and nothing newer is overwritten or brought back", async () => {
    await pair.redis("DEL", "featured");
    await sync();
    // The outage: the application writes to MongoDB.
    await writeMongodb("pro_users", CHANGED);
    await writeMongodb("orders", [{ id: 1, total: 12.5 }]);
    // KV is back, and the application has written there and removed a key before anybody ran anything.
    await pair.redis("SET", "visits", "10500");
    const night = await sync();
    expect(night.code).toBe(3);
    expect(night.stdout).toContain("key pro_users: changed in MongoDB since both agreed");
    expect(night.stdout).toContain("dualsync sync-kv --direction to-kv");
    const { code, stdout } = await sync("--direction", "to-kv", "--json");
    expect(records(stdout).at(-1)).toMatchObject({ primaryWritten: 2, missing: 1, copyWritten: 0 });
    expect(code).toBe(0);
    expect(await kvValue("pro_users")).toEqual(CHANGED);
    expect(await kvValue("orders")).toEqual([{ id: 1, total: 12.5 }]);
    expect(await kvValue("visits")).toBe(10_500);
    expect(await pair.redis("EXISTS", "featured")).toBe(0);
    expect((await sync()).code).toBe(0);
    expect(await mongodbValue("visits")).toBe(10_500);
    expect(await status()).toEqual(["kv", 0]);
  });

  it("KV recovers while it is waited for: both directions go on where the quota ended", async () => {
    await writeMongodb("pro_users", CHANGED);
    await writeMongodb("orders", []);
    pair.upstash.settings.quota = pair.upstash.billed;
    const leases: unknown[] = [];
    const { code, output, waits } = await runWaiting(pair, { direction: "both" }, async (wait) => {
      leases.push(await pair.redis("EXISTS", "_dualsync:lease"));
      if (wait === 3) pair.upstash.settings.quota = undefined;
    });
    expect(code, output).toBe(0);
    expect(waits.slice(0, 3).every((wait) => wait >= 60_000)).toBe(true);
    expect(leases.every((lease) => lease === 0)).toBe(true);
    expect(output).toContain("KV serves again.");
    expect([await kvValue("pro_users"), await kvValue("orders")]).toEqual([CHANGED, []]);
  });

  it("read while down: the application finds every key in MongoDB, as KV held it, and can write it there", async () => {
    const values = skinvaultValues({ users: 5 });
    pair.fail({ reset: "before" });
    expect(await status()).toEqual(["mongodb", 4]);
    for (const [key, value] of Object.entries(values)) expect(await mongodbValue(key)).toEqual(value);
    await writeMongodb("visits", 11_000);
    // The nightly run cannot read KV: what it cannot read is not gone.
    const { code, stderr } = await pair.run(["sync-kv"], undefined, { env: { SYNC_MAX_RETRIES: "0" } });
    expect([code, stderr]).toEqual([4, expect.stringContaining("broke while trying to connect")]);
    expect(await mongodbValue("visits")).toBe(11_000);
    for (const key of Object.keys(values)) expect(await mongodb().collection(key).countDocuments()).toBe(1);
  });
});
