import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { Random } from "../../shops/random.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/** Runs that are ended at random moments: the same command always comes to the same end. */
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 300 : 5;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 15);
/** Requests of a run. */
const REQUESTS = 24;
/** After a request, in milliseconds: what is under way is ended, too. */
const LATEST = 30;
const ENDS = ["SIGKILL", "SIGKILL", "SIGINT", "SIGTERM"] as const;
const KEYS = 30;

describe.runIf(await canRunRedis())("a synchronization of a KV store", () => {
  const pair = kvPair();
  const { redis } = pair;
  const kept = () => pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");

  async function inKv(): Promise<Record<string, string>> {
    const keys = ((await redis("KEYS", "*")) as Buffer[]).map(String).filter((key) => !key.startsWith("_"));
    const all = keys.map(async (key) => [key, String(await redis("HGET", key, "f"))] as const);
    return Object.fromEntries((await Promise.all(all)).sort(([a], [b]) => a.localeCompare(b)));
  }

  async function inMongodb(): Promise<Record<string, string>> {
    const found = await kept().find().toArray();
    const all = found.map(({ _id, value }) => [_id, String(value[0].v)] as const);
    return Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b)));
  }

  it(`ended at ${POINTS} random moments (seed ${SEED}) comes to the end of one that was not, and loses nothing`, {
    timeout: POINTS * 30_000,
  }, async () => {
    const random = new Random(SEED);
    const tally: Record<string, number> = { null: 0, 0: 0, 130: 0, 143: 0 };
    for (let n = 1; n <= KEYS; n++) await redis("HSET", `k${n}`, "f", `v${n}`);
    expect((await pair.run(["sync-kv"])).code).toBe(0);
    for (let point = 0; point < POINTS; point++) {
      const cwd = mkdtempSync(join(tmpdir(), "dualsync-killed-"));
      const direction = random.pick(["to-mongodb", "to-kv", "both"] as const);
      const wanted = await inKv();
      for (let change = 0; change < 12; change++) {
        const key = `k${random.whole(1, KEYS + 10)}`;
        const value = `p${point}c${change}`;
        const side = direction === "both" ? (Number(key.slice(1)) % 2 === 0 ? "kv" : "mongodb") : direction;
        if (side === "kv" || side === "to-mongodb") await redis("HSET", key, "f", value);
        else {
          const record = { type: "hash", value: [{ f: "f", v: value }] };
          await kept().updateOne({ _id: key }, { $set: record }, { upsert: true });
        }
        wanted[key] = value;
      }
      const args = ["sync-kv", "--direction", direction, "--max-commands", "100000"];
      const [how, at, delay] = [random.pick(ENDS), random.whole(1, REQUESTS), random.whole(0, LATEST)];
      let end: () => void = () => undefined;
      const struck = pair.fail({ at, before: () => void setTimeout(() => end(), delay) });
      const { code, stdout, stderr } = await pair.run(args, cwd, {
        onStart: (child) => {
          end = () => child.kill(how);
        },
      });
      struck.stop();
      tally[String(code)] = (tally[String(code)] ?? 0) + 1;
      const about = `seed ${SEED}, point ${point}: ${how} ${delay} ms after request ${at} of ${args.join(" ")}\n${stdout}${stderr}`;
      expect([null, 0, 130, 143], about).toContain(code);
      // Each key is what it was, or what it is to be.
      const [kv, mongodb] = [await inKv(), await inMongodb()];
      for (const value of [...Object.values(kv), ...Object.values(mongodb)])
        expect(value, about).not.toBe("null");
      const again = await pair.run(args, cwd);
      expect(again.code, `${about}${again.stdout}${again.stderr}`).toBe(0);
      const entries = Object.entries(wanted).sort(([a], [b]) => a.localeCompare(b));
      const last = await pair.run(["sync-kv", "--direction", "both"], cwd);
      expect(last.code, `${about}${last.stdout}`).toBe(0);
      expect(await inKv(), about).toEqual(Object.fromEntries(entries));
      expect(await inMongodb(), about).toEqual(Object.fromEntries(entries));
      expect(await redis("KEYS", "_dualsync*"), about).toEqual([]);
      rmSync(cwd, { recursive: true });
    }
    console.log(`${POINTS} points of sync-kv, seed ${SEED}: ${JSON.stringify(tally)}`);
    expect((tally.null ?? 0) + (tally["130"] ?? 0) + (tally["143"] ?? 0)).toBeGreaterThan(POINTS / 3);
  });
});
