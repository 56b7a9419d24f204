import { setTimeout as wait } from "node:timers/promises";
import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { failure, htmlFailure, texts, tooManyRequests } from "../../services/upstash/answers.ts";
import type { Effect } from "../../services/upstash/faults.ts";
import { Random } from "../../shops/random.ts";
import { BIN, records } from "../../support/cli.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";
import { runWaiting } from "./waiting-run.ts";

const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 15);
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 300 : 8;

/** One more try: no long waits. */
const SOME = { SYNC_MAX_RETRIES: "1" };

const EFFECTS: ReadonlyArray<(random: Random) => Effect> = [
  () => ({ answer: tooManyRequests(0) }),
  () => ({ answer: failure(400, texts.monthlyQuota()) }),
  () => ({ items: { error: texts.dailyQuota() } }),
  (random) => ({ items: { at: random.whole(0, 3), error: "ERR something of its own" } }),
  (random) => ({ items: { at: random.whole(0, 3), error: texts.wrongType() } }),
  () => ({ answer: htmlFailure(502) }),
  () => ({ answer: htmlFailure(200) }),
  () => ({ answer: failure(401, texts.wrongToken()) }),
  () => ({ reset: "before" }),
  () => ({ reset: "lost-reply" }),
  (random) => ({ cut: { after: random.whole(0, 300) } }),
  (random) => ({ cut: { after: random.whole(0, 300), chunked: true } }),
  () => ({ pages: "duplicates" }),
  () => ({ pages: "empty" }),
];

describe.runIf(await canRunRedis())("a synchronization of a KV store", () => {
  const pair = kvPair();
  const { redis } = pair;

  const kept = () => pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");

  async function fill(keys: number, value = "v"): Promise<void> {
    for (let n = 1; n <= keys; n++) await redis("HSET", `k${n}`, "f", `${value}${n}`);
  }

  async function inKv(): Promise<Record<string, string>> {
    const keys = ((await redis("KEYS", "k*")) as Buffer[]).map(String).sort();
    return Object.fromEntries(
      await Promise.all(keys.map(async (key) => [key, String(await redis("HGET", key, "f"))])),
    );
  }

  /** What the copy holds of hashes of one field. */
  async function inMongodb(): Promise<Record<string, string>> {
    const found = await kept().find({ type: "hash" }).sort({ _id: 1 }).toArray();
    return Object.fromEntries(found.map(({ _id, value }) => [_id, String(value[0].v)]));
  }

  /** Somebody else writes to the copy as it lies there. */
  async function changeInMongodb(key: string, value: string): Promise<void> {
    await kept().updateOne({ _id: key }, { $set: { "value.0.v": value } });
  }

  async function leases(): Promise<unknown[]> {
    const own = pair.to.db(pair.database).collection<Document & { _id: string }>("_dualsync");
    return [await redis("EXISTS", "_dualsync:lease"), await own.findOne({ _id: "lease" })];
  }

  /** A quota that is used up as keys are read, after so many requests with the command that reads them. */
  function limitWhileReading(requests: number, command = "HGETALL"): () => void {
    let left = requests;
    let isUsedUp = false;
    const fault = pair.fail({
      on: ({ commands }) => {
        isUsedUp ||= commands.includes(command) && --left < 0;
        return isUsedUp;
      },
      answer: failure(400, texts.monthlyQuota()),
    });
    return () => fault.stop();
  }

  it.each([
    ["to-mongodb", 4, "60", 1],
    ["to-kv", 5, "120", 4],
    ["both", 4, "120", 4],
  ] as const)(
    "%s whose quota ends in between exits with %d and says what to do, and the next run goes on",
    async (direction, exit, most, requests) => {
      await fill(12);
      expect((await pair.run(["sync-kv"])).code).toBe(0);
      if (direction === "to-mongodb") await fill(12, "w");
      else for (let n = 1; n <= 12; n++) await changeInMongodb(`k${n}`, `w${n}`);
      const lift = limitWhileReading(requests);
      // Few may be sent: then they are read a few at a time.
      const args = ["sync-kv", "--direction", direction, "--max-commands", most];
      // The lease of a process that has ended is free, also where it could not be released.
      const { code, stderr } = await pair.run(args, undefined, { bin: BIN });
      const about = direction === "to-kv" ? "The target" : "The source";
      expect([code, stderr]).toEqual([
        exit,
        expect.stringContaining(`error: ${about} ${pair.kv} refuses commands`),
      ]);
      expect(stderr).toContain("run the same command again to resume");
      expect(stderr).toMatch(/^\d+ keys settled so far; the same command goes on with the others\.$/m);
      const settled = Number(/^(\d+) keys settled/m.exec(stderr)?.[1]);
      expect(settled).toBeLessThan(12);
      const values = async () => Object.values(direction === "to-mongodb" ? await inMongodb() : await inKv());
      expect((await values()).filter((value) => value.startsWith("w"))).toHaveLength(settled);
      lift();
      const next = await pair.run([...args, "--json"]);
      expect(records(next.stdout).at(-1)).toMatchObject({ exitCode: 0, resumed: { documents: settled } });
      expect((await values()).every((value) => value.startsWith("w"))).toBe(true);
      expect(await leases()).toEqual([0, null]);
    },
  );

  it("waits through one limit after another, without a lease, and goes on where it was", async () => {
    const KEYS = 1_200;
    await redis("MSET", ...Array.from({ length: KEYS }, (_, n) => [`s${n}`, `text ${n}`]).flat());
    let lift = limitWhileReading(1, "MGET");
    const left: unknown[] = [];
    const read: number[] = [];
    const begun = pair.upstash.billed;
    pair.fail({
      on: ({ call }) => {
        const names = call?.commands.filter(([name]) => String(name) === "MGET") ?? [];
        if (names.length > 0) read.push(names.reduce((sum, command) => sum + command.length - 1, 0));
        return false;
      },
    });
    const { code, output, waits } = await runWaiting(pair, {}, async (at) => {
      left.push(...(await leases()));
      if (at === 2) lift();
      if (at === 3) lift = limitWhileReading(0, "MGET");
      if (at === 5) lift();
    });
    expect(code, output).toBe(0);
    expect(waits).toHaveLength(6);
    expect(new Set(left)).toEqual(new Set([0, null]));
    // What was settled before the first limit is not read again. The first one that was refused is not seen here.
    expect(read).toEqual([1_000, 200, 200]);
    expect(await kept().countDocuments()).toBe(KEYS);
    expect(output.match(/^sync-kv to-mongodb$/gm)).toHaveLength(1);
    expect(output).toContain("1,200 keys written to MongoDB, and read back");
    expect(output).toContain(`${pair.upstash.billed - begun} billed commands`);
  });

  it("takes back a lease of its own that it could not release, and respects that of another run", async () => {
    await fill(3);
    await pair.run(["sync-kv"]);
    await changeInMongodb("k1", "w1");
    let lift = limitWhileReading(0);
    const { code, output } = await runWaiting(pair, { direction: "to-kv" }, async (wait) => {
      if (wait === 1) expect(await redis("EXISTS", "_dualsync:lease")).toBe(1);
      lift();
    });
    expect(code, output).toBe(0);
    expect(output).toContain("Could not release the lock");
    await changeInMongodb("k1", "x1");
    lift = limitWhileReading(0);
    const other = { host: "elsewhere", pid: 7, run: "other", nonce: "n", command: "sync-kv" };
    const locked = await runWaiting(pair, { direction: "to-kv" }, async () => {
      await redis("SET", "_dualsync:lease", JSON.stringify(other), "PX", 60_000);
      lift();
    });
    expect([locked.code, locked.output]).toEqual([7, expect.stringContaining("on elsewhere")]);
  });

  it("ends with 12 when the time is up before KV serves again", async () => {
    await fill(3);
    pair.fail({ answer: htmlFailure(503) });
    const { code, output } = await runWaiting(pair, { maxMinutes: "0.005" }, async () => wait(50));
    expect([code, output]).toEqual([
      12,
      expect.stringContaining("Stopped after 0.005 minutes (--max-minutes)"),
    ]);
  });

  it("does not wait where the token is refused", async () => {
    await fill(3);
    let refused = false;
    pair.fail({ on: () => refused, answer: failure(401, texts.wrongToken()) });
    pair.fail({ on: () => !refused, answer: htmlFailure(503) });
    const { code, waits } = await runWaiting(pair, {}, async () => {
      refused = true;
    });
    expect([code, waits.length]).toEqual([8, 1]);
  });

  it("looks at a store that is down for four billed commands at most, and takes nothing of its own for a key", async () => {
    await fill(3);
    let down = true;
    pair.fail({ on: () => down, items: { at: 1, error: texts.monthlyQuota() } });
    const billed: number[] = [];
    const { code } = await runWaiting(pair, {}, async (wait) => {
      billed.push(pair.upstash.billed);
      if (wait === 4) down = false;
    });
    expect(code).toBe(0);
    const each = billed.slice(1).map((sum, at) => sum - (billed[at] ?? 0));
    expect(Math.max(...each)).toBeLessThanOrEqual(4);
    expect(Object.keys(await inMongodb())).toEqual(["k1", "k2", "k3"]);
  });

  it("is locked out by another run that holds the lease of either store", async () => {
    await fill(3);
    await pair.run(["sync-kv"]);
    const other = { host: "elsewhere", pid: 7, run: "other", nonce: "n", command: "sync-kv" };
    await redis("SET", "_dualsync:lease", JSON.stringify(other), "PX", 60_000);
    expect((await pair.run(["sync-kv"])).code).toBe(0);
    for (const direction of ["to-kv", "both"]) {
      const { code, stderr } = await pair.run(["sync-kv", "--direction", direction]);
      expect([code, stderr]).toEqual([
        7,
        expect.stringContaining("is locked by dualsync sync-kv on elsewhere"),
      ]);
      expect((await leases())[1]).toBe(null);
    }
    await redis("DEL", "_dualsync:lease");
    const own = pair.to.db(pair.database).collection<Document & { _id: string }>("_dualsync");
    await own.updateOne({ _id: "lease" }, [{ $set: { ...other, until: { $add: ["$$NOW", 60_000] } } }], {
      upsert: true,
    });
    for (const direction of ["to-mongodb", "to-kv", "both"]) {
      expect((await pair.run(["sync-kv", "--direction", direction])).code).toBe(7);
      expect((await leases())[0]).toBe(0);
    }
  });

  it(`with a fault at ${POINTS} random requests (seed ${SEED}) ends in step or with a failure, and nothing is lost or taken for gone`, {
    timeout: POINTS * 20_000,
  }, async () => {
    const random = new Random(SEED);
    const ends: string[] = [];
    await fill(6);
    for (let n = 1; n <= 6; n++) await redis("SET", `s${n}`, `text ${n}`);
    await redis("PEXPIREAT", "s1", Date.UTC(2099, 0, 1));
    await pair.run(["sync-kv"]);
    for (let point = 0; point < POINTS; point++) {
      const direction = random.pick(["to-mongodb", "to-kv", "both"] as const);
      const value = `p${point}_`;
      if (direction !== "to-kv") await redis("HSET", `k${random.whole(1, 6)}`, "f", `${value}kv`);
      if (direction === "to-kv") await changeInMongodb(`k${random.whole(1, 6)}`, `${value}mongodb`);
      const before = [await inKv(), await inMongodb()];
      const at = random.whole(1, 14);
      const effect = random.pick(EFFECTS)(random);
      const fault = pair.fail({ ...effect, at });
      const args = ["sync-kv", "--direction", direction, "--yes"];
      const { code, stdout, stderr } = await pair.run(args, undefined, { env: SOME });
      fault.stop();
      await redis("DEL", "_dualsync:lease");
      const about = `seed ${SEED}, point ${point}: ${JSON.stringify(effect)} at request ${at} of ${args.join(" ")}\n${stdout}${stderr}`;
      ends.push(String(code));
      expect([0, 3, 4, 5, 8], about).toContain(code);
      const [kv, mongodb] = [await inKv(), await inMongodb()];
      expect(Object.keys(kv), about).toEqual(Object.keys(before[0] ?? {}));
      expect(Object.keys(mongodb), about).toEqual(Object.keys(before[1] ?? {}));
      expect(stdout, about).not.toContain("marked");
      if (code === 0) expect(kv, about).toEqual(mongodb);
      const again = await pair.run(args);
      expect(again.code, `${about}${again.stdout}${again.stderr}`).toBe(0);
      expect(await inKv(), about).toEqual(await inMongodb());
      expect(await kept().countDocuments({ type: "string" }), about).toBe(6);
    }
    console.log(`${POINTS} points of sync-kv, seed ${SEED}: ${ends.join(" ")}`);
  });
});
