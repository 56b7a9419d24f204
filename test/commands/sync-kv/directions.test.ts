import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { Random } from "../../shops/random.ts";
import { records } from "../../support/cli.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 15);
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const RUNS = LONG ? 200 : 10;

/** Members of a set, or fields of a hash with their values: in an order of their own. */
function sorted(members: unknown, width: number): string[] {
  const all = members as readonly Buffer[];
  const parts = Array.from({ length: all.length / width }, (_, at) =>
    all.slice(at * width, (at + 1) * width),
  );
  return parts.map((part) => part.map((one) => one.toString("hex")).join(" ")).sort();
}

describe.runIf(await canRunRedis())("sync-kv", () => {
  const pair = kvPair();
  const { redis } = pair;

  /** What a key holds, and when it expires. */
  async function contentOf(key: Buffer): Promise<unknown[]> {
    const type = String(((await redis("TYPE", key)) as { readonly text?: string }).text);
    const commands: Record<string, readonly (readonly [string, ...string[]])[]> = {
      string: [["GET"]],
      hash: [["HGETALL"]],
      list: [["LRANGE", "0", "-1"]],
      set: [["SMEMBERS"]],
      zset: [["ZRANGE", "0", "-1", "WITHSCORES"]],
      stream: [["XRANGE", "-", "+"], ["XINFO"]],
    };
    const found = [];
    for (const [name, ...rest] of commands[type] ?? [])
      found.push(name === "XINFO" ? await redis("XLEN", key) : await redis(name, key, ...rest));
    const value = type === "hash" || type === "set" ? sorted(found[0], type === "hash" ? 2 : 1) : found;
    return [key, type, value, await redis("PEXPIRETIME", key)];
  }

  /** The summary of a run, with its exit status and its items. */
  async function sync(...flags: string[]) {
    const { code, stdout, stderr } = await pair.run(["sync-kv", "--json", ...flags]);
    const all = records(stdout);
    const items = all.flatMap(({ type, key, reason }) => (type === "item" ? [`${key}: ${reason}`] : []));
    return { code, summary: all.at(-1) ?? {}, items, all, stderr };
  }

  const kept = () => pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");
  const copied = async (key: string): Promise<unknown> => (await kept().findOne({ _id: key }))?.value;

  async function texts(): Promise<Record<string, string>> {
    const keys = ((await redis("KEYS", "*")) as Buffer[]).map(String).sort();
    return Object.fromEntries(
      await Promise.all(keys.map(async (key) => [key, String(await redis("GET", key))])),
    );
  }

  async function fill(keys: number): Promise<void> {
    for (let n = 1; n <= keys; n++) await redis("SET", `k${n}`, `{"n":${n}}`);
  }

  /** Begins the copy, and lets both sides change one key each, and both another one. */
  async function diverged(): Promise<void> {
    await fill(6);
    expect((await sync()).code).toBe(0);
    await redis("SET", "k1", '{"kv":1}');
    await kept().updateOne({ _id: "k2" }, { $set: { value: { mongodb: 2 } } });
    await redis("SET", "k3", '{"kv":3}');
    await kept().updateOne({ _id: "k3" }, { $set: { value: { mongodb: 3 } } });
    await redis("SET", "kvOnly", "1");
    await kept().insertOne({ _id: "mongodbOnly", type: "string", value: "text" });
    await redis("DEL", "k4");
    await kept().deleteOne({ _id: "k5" });
  }

  it("to-mongodb writes MongoDB alone, and names what MongoDB alone has or changed", async () => {
    await diverged();
    const before = await texts();
    const { code, summary, items } = await sync();
    expect(code).toBe(3);
    expect(summary).toMatchObject({
      copyWritten: 3,
      marked: 1,
      conflicts: 1,
      left: 2,
      equal: 1,
      primaryWritten: 0,
    });
    expect(items.sort()).toEqual([
      "key k2: changed in MongoDB since both agreed",
      "key k3: differs, and it is not known whether KV or MongoDB is right",
      "key mongodbOnly: only in MongoDB",
    ]);
    expect(await texts()).toEqual(before);
    expect([await copied("k1"), await copied("k4"), await copied("k5")]).toEqual([
      { kv: 1 },
      { n: 4 },
      { n: 5 },
    ]);
    const accepted = await sync(...["k2", "k3", "mongodbOnly"].flatMap((key) => ["--accept", `key ${key}`]));
    expect([accepted.code, accepted.summary.items]).toEqual([0, 3]);
  });

  it("to-kv writes KV alone, and leaves what is newer there", async () => {
    await diverged();
    const before = await kept().find().sort({ _id: 1 }).toArray();
    const { code, summary, items } = await sync("--direction", "to-kv");
    expect(code).toBe(3);
    expect(summary).toMatchObject({ primaryWritten: 3, copyWritten: 0, conflicts: 1 });
    expect(items).toEqual(["key k3: differs, and it is not known whether KV or MongoDB is right"]);
    expect(await kept().find().sort({ _id: 1 }).toArray()).toEqual(before);
    expect(await texts()).toEqual({
      ...{ k1: '{"kv":1}', k2: '{"mongodb":2}', k3: '{"kv":3}', k4: '{"n":4}', k5: '{"n":5}', k6: '{"n":6}' },
      ...{ kvOnly: "1", mongodbOnly: "text" },
    });
  });

  it("both brings both together, except for what only a person can decide", async () => {
    await diverged();
    const first = await sync("--direction", "both");
    expect([first.code, first.items]).toEqual([
      3,
      ["key k3: differs, and it is not known whether KV or MongoDB is right"],
    ]);
    expect(await redis("EXISTS", "k4")).toBe(0);
    const decided = await sync("--direction", "both", "--on-conflict", "mongodb");
    expect([decided.code, decided.summary.primaryWritten]).toEqual([0, 1]);
    expect(await redis("GET", "k3")).toEqual(Buffer.from('{"mongodb":3}'));
    const removed = await sync("--direction", "both", "--delete", "--yes");
    expect([removed.code, removed.summary.copyRemoved]).toEqual([0, 1]);
    const last = await sync("--direction", "both");
    expect(last.summary).toMatchObject({ equal: 7, copyWritten: 0, primaryWritten: 0, missing: 0 });
  });

  it("writes what was marked as gone only with --missing all, and removes it only with --delete", async () => {
    await fill(5);
    await sync();
    await redis("DEL", "k1", "k2");
    expect((await sync()).summary).toMatchObject({ marked: 2, exitCode: 0 });
    expect((await sync("--direction", "to-kv")).summary).toMatchObject({ primaryWritten: 0, missing: 2 });
    expect((await sync("--direction", "to-kv", "--missing", "all")).summary).toMatchObject({
      primaryWritten: 2,
    });
    expect(Object.keys(await texts())).toHaveLength(5);
  });

  it("is refused when more than half of the keys are gone from a side, and changes nothing", async () => {
    await fill(6);
    await sync();
    const before = await kept().find().toArray();
    await redis("DEL", "k1", "k2", "k3", "k4");
    for (const flags of [[], ["--delete", "--yes"], ["--direction", "both", "--delete", "--yes"]]) {
      const { code, stderr } = await sync(...flags);
      expect([code, stderr]).toEqual([6, expect.stringContaining("4 of 6 keys")]);
    }
    expect(await kept().find().toArray()).toEqual(before);
    expect((await sync("--allow-shrink")).summary).toMatchObject({ marked: 4, exitCode: 0 });
  });

  it("gives every type of key, and its expiry, back as it was", async () => {
    const end = Date.UTC(2099, 0, 1);
    await redis("SET", "json", '{"b":1.50,"a":[12345678901234567890,null]}');
    await redis("SET", "text", " not json ", "PXAT", end);
    await redis("SET", Buffer.from([0xff, 0, 10]), Buffer.from([0, 0xfe, 0x0a]));
    await redis("HSET", "hash", "f.1", "a", "2", Buffer.from([0xff]));
    await redis("RPUSH", "list", "b", "a", "b");
    await redis("SADD", "set", "3", "1", "x");
    await redis("ZADD", "zset", "1.1", "a", "-inf", "b");
    await redis("XADD", "stream", "5-1", "f", "v", "f", "w");
    await redis("PEXPIREAT", "hash", end);
    const contents = async (): Promise<unknown[]> => {
      const keys = ((await redis("KEYS", "*")) as Buffer[]).sort(Buffer.compare);
      return await Promise.all(keys.map((key) => contentOf(key)));
    };
    const before = await contents();
    for (const layout of ["records", "collections"]) {
      await pair.to.db(pair.database).dropDatabase();
      expect((await sync("--layout", layout)).code).toBe(0);
      await redis("FLUSHDB");
      expect((await sync("--direction", "to-kv", "--allow-shrink")).code).toBe(0);
      expect(await contents()).toEqual(before);
      expect((await sync("--direction", "both")).summary).toMatchObject({ equal: 8, exitCode: 0 });
    }
  });

  it("takes the order of --from and --to, and refuses one that contradicts the direction", async () => {
    await fill(1);
    expect((await sync("--from", "kv", "--to", "mongodb")).code).toBe(0);
    expect((await sync("--from", "mongodb", "--to", "kv", "--direction", "to-kv")).code).toBe(0);
    for (const flags of [
      ["--from", "mongodb", "--to", "kv"],
      ["--from", "kv", "--to", "mongodb", "--direction", "to-kv"],
    ])
      expect((await sync(...flags)).code).toBe(2);
  });

  it("prints its plan, its items and its result as records, and its spending as the service bills it", async () => {
    await diverged();
    const before = pair.upstash.billed;
    const { all, summary } = await sync("--direction", "both");
    expect(all.map(({ type }) => type).filter((type) => type !== "progress")).toEqual([
      "start",
      "item",
      "summary",
    ]);
    expect(all[0]).toMatchObject({
      ...{ command: "sync-kv", primary: pair.kv, direction: "both", layout: "records", dryRun: false },
      ...{ primaryDocuments: 6, copyDocuments: 6, agreed: 6 },
    });
    expect(summary.spent).toMatchObject({ commands: pair.upstash.billed - before });
    expect(all[1]).toEqual(expect.objectContaining({ key: "key k3", accepted: false }));
  });

  it(`loses nothing that an application writes to either side during ${RUNS} runs (seed ${SEED})`, {
    timeout: RUNS * 20_000,
  }, async () => {
    const random = new Random(SEED);
    const cwd = mkdtempSync(join(tmpdir(), "dualsync-writers-"));
    const KEYS = 6;
    let value = 0;
    // Of each side: what the application wrote last to a key, and what it found there just before any of its writes.
    const last = { kv: new Map<string, string>(), mongodb: new Map<string, string>() };
    const during = { kv: new Map<string, string>(), mongodb: new Map<string, string>() };
    const found = new Set<string>();
    const write = async (): Promise<void> => {
      const key = `k${random.whole(1, KEYS)}`;
      const text = `value-${++value}-`;
      if (random.whole(0, 1) === 0) {
        found.add(String(await redis("GETSET", key, text)));
        last.kv.set(key, text);
        during.kv.set(key, text);
      } else {
        const set = { $set: { type: "string", value: text }, $unset: { raw: 1 } };
        const before = await kept().findOneAndUpdate({ _id: key }, set, { upsert: true });
        found.add(String(before?.value));
        last.mongodb.set(key, text);
        during.mongodb.set(key, text);
      }
    };
    const saved = (): string =>
      readdirSync(cwd, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".journal"))
        .map((name) => readFileSync(join(cwd, name), "latin1"))
        .join();
    await fill(KEYS);
    await pair.run(["sync-kv"], cwd);
    for (let run = 0; run < RUNS; run++) {
      const direction = random.pick(["to-mongodb", "to-kv", "both"] as const);
      const rule = random.pick(["kv", "mongodb", "park"] as const);
      for (let n = random.whole(0, 4); n > 0; n--) await write();
      const writer = pair.fail({
        before: async () => {
          for (let n = random.whole(0, 2); n > 0; n--) await write();
        },
      });
      const values = async (): Promise<Record<string, unknown>> =>
        Object.fromEntries((await kept().find().toArray()).map(({ _id, value: held }) => [_id, held]));
      const before = { kv: await texts(), mongodb: await values() };
      for (const side of Object.values(during)) side.clear();
      const args = ["sync-kv", "--json", "--direction", direction, "--on-conflict", rule];
      const { code, stdout, stderr } = await pair.run(args, cwd);
      writer.stop();
      const about = `run ${run} of seed ${SEED}, ${args.join(" ")}\n${stdout}${stderr}`;
      expect([0, 3], about).toContain(code);
      const after = { kv: await texts(), mongodb: await values() };
      const journals = saved();
      for (const side of ["kv", "mongodb"] as const) {
        for (const [key, text] of last[side]) {
          const isThere = after[side][key] === text || found.has(text) || journals.includes(text);
          expect(isThere, `${key} in ${side}: ${text}; ${about}`).toBe(true);
        }
        if (direction === (side === "kv" ? "to-mongodb" : "to-kv"))
          expect(after[side], about).toEqual({ ...before[side], ...Object.fromEntries(during[side]) });
      }
    }
    const end = await pair.run(["sync-kv", "--direction", "both", "--on-conflict", "kv"], cwd);
    expect(end.code, end.stdout).toBe(0);
    for (const [key, text] of Object.entries(await texts()))
      expect(await copied(key), key).toEqual(text.startsWith("{") ? JSON.parse(text) : text);
    rmSync(cwd, { recursive: true });
  });
});
