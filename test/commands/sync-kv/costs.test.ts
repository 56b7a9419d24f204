import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { fillSkinvaultBackup } from "../../shops/skinvault.ts";
import { records } from "../../support/cli.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

const END = Date.UTC(2099, 0, 1);

describe.runIf(await canRunRedis())("what a synchronization of a KV store costs", () => {
  const pair = kvPair();
  const { redis } = pair;
  const kept = () => pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");

  /** A run, with what was billed for it. */
  async function sync(...flags: string[]) {
    const before = pair.upstash.billed;
    const { code, stdout, stderr } = await pair.run(["sync-kv", "--json", ...flags]);
    const all = records(stdout);
    return {
      code,
      stderr,
      billed: pair.upstash.billed - before,
      plan: all[0] ?? {},
      summary: all.at(-1) ?? {},
      all,
    };
  }

  async function fillTexts(keys: number): Promise<void> {
    await redis("MSET", ...Array.from({ length: keys }, (_, n) => [`s${n}`, `text ${n}`]).flat());
  }

  /** In the order of the requests, what each command was. */
  function commandsSince(first: number): string[] {
    return pair.upstash.requests.slice(first).flatMap(({ commands }) => commands);
  }

  it("of a dry run is at most 20 commands, whatever lies in the stores and the direction", async () => {
    await fillTexts(20_000);
    await redis("SET", "ends", "v", "PXAT", END);
    await fillSkinvaultBackup(pair.to, pair.database);
    for (const direction of ["to-mongodb", "to-kv", "both"]) {
      const flags = ["--dry-run", "--direction", direction, "--into-existing", pair.database];
      const { code, billed, plan, summary } = await sync(...flags);
      expect([code, plan.layout, summary.spent]).toEqual([
        0,
        "collections",
        expect.objectContaining({ commands: billed }),
      ]);
      expect(billed).toBeLessThanOrEqual(20);
      expect(plan.notes).toEqual(
        direction === "to-mongodb"
          ? expect.not.arrayContaining([expect.stringContaining("would be given")])
          : expect.arrayContaining([expect.stringContaining("would be given")]),
      );
    }
    expect(
      await pair.to
        .db(pair.database)
        .listCollections({ name: /^_dualsync/ })
        .toArray(),
    ).toEqual([]);
  });

  it("lies within what the plan says", async () => {
    await fillTexts(700);
    for (let n = 0; n < 20; n++) await redis("HSET", `h${n}`, "f", "v");
    await redis("SET", "ends", "v", "PXAT", END);
    for (const direction of ["to-mongodb", "to-kv", "both"]) {
      const { code, billed, plan } = await sync("--direction", direction);
      const { least, most } = plan.commands as { least: number; most: number };
      expect([code, direction, billed >= least, billed <= most]).toEqual([0, direction, true, true]);
    }
  });

  it("lies within what the plan says where an empty KV store is filled from its copy: it is about the least", async () => {
    for (const keys of [1, 2, 500, 501, 1_000, 1_700]) {
      await redis("FLUSHALL");
      await pair.to.db(pair.database).dropDatabase();
      await kept().insertMany(Array.from({ length: keys }, (_, n) => ({ _id: `k${n}`, value: `v${n}` })));
      const { code, billed, plan } = await sync(
        "--direction",
        "to-kv",
        "--yes",
        "--into-existing",
        pair.database,
      );
      const { least, most } = plan.commands as { least: number; most: number };
      expect([keys, code, billed >= least, billed <= Math.min(most, least + 5)]).toEqual([
        keys,
        0,
        true,
        true,
      ]);
    }
  });

  it("of 2,000 texts without an expiry is some commands, and some requests", async () => {
    await fillTexts(2_000);
    const first = pair.upstash.requests.length;
    const { billed } = await sync();
    expect(billed).toBeLessThanOrEqual(20);
    expect(pair.upstash.requests.length - first).toBeLessThanOrEqual(14);
    expect(commandsSince(first).filter((name) => name === "MGET")).toHaveLength(4);
  });

  it("is refused with 6 before anything is written where --max-commands does not do for a single key", async () => {
    for (let n = 0; n < 40; n++) await redis("HSET", `h${n}`, "f", "v");
    for (const direction of ["to-mongodb", "to-kv", "both"]) {
      const { code, stderr, billed } = await sync("--direction", direction, "--max-commands", "5");
      expect([code, stderr]).toEqual([6, expect.stringContaining("--max-commands 5 cannot suffice")]);
      expect(billed).toBeLessThanOrEqual(10);
    }
    expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
  });

  it("is no more than --max-commands, ends with 12 at it, and several runs do together what one may not", async () => {
    const KEYS = 60;
    for (let n = 0; n < KEYS; n++) {
      await redis("HSET", `h${n}`, "f", "v");
      await redis("PEXPIREAT", `h${n}`, END);
    }
    const MOST = 60;
    const codes: (number | null)[] = [];
    let copied = 0;
    for (let run = 0; codes.at(-1) !== 0 && run < 20; run++) {
      const { code, billed, summary, all } = await sync("--max-commands", String(MOST));
      codes.push(code);
      expect(billed).toBeLessThanOrEqual(MOST);
      const now = await kept().countDocuments();
      expect(now).toBeGreaterThan(copied);
      copied = now;
      if (code === 12) {
        expect(all.map(({ message }) => message)).toContainEqual(
          expect.stringMatching(/^\d+ keys settled so far; the same command goes on with the others\.$/),
        );
        expect(summary.verdict).toBe("The limit of 60 commands is reached.");
      } else expect(summary.resumed).toMatchObject({ documents: expect.any(Number) });
    }
    expect([codes.at(-1), copied]).toEqual([0, KEYS]);
    expect(new Set(codes.slice(0, -1))).toEqual(new Set([12]));
    expect(codes.length).toBeLessThanOrEqual(10);
    // What was settled together is done: the next run begins at the beginning.
    expect((await sync("--max-commands", "1000")).summary).toMatchObject({ equal: KEYS, resumed: null });
  });

  it("is no more than --max-commands where KV is filled again, and no key is written twice", async () => {
    const KEYS = 60;
    const all = Array.from({ length: KEYS }, (_, n) => ({
      ...{ _id: `s${n}`, type: "string", value: `text ${n}`, expiresAt: new Date(END) },
    }));
    await kept().insertMany(all);
    const flags = ["--direction", "to-kv", "--into-existing", pair.database, "--max-commands", "80"];
    const codes: (number | null)[] = [];
    const first = pair.upstash.requests.length;
    while (codes.at(-1) !== 0 && codes.length < 20) {
      const before = await redis("DBSIZE");
      const { code, billed } = await sync(...flags);
      codes.push(code);
      expect(billed).toBeLessThanOrEqual(80 + 5);
      expect(Number(await redis("DBSIZE"))).toBeGreaterThan(Number(before));
    }
    expect([codes.at(-1), await redis("DBSIZE")]).toEqual([0, KEYS]);
    expect(codes.length).toBeGreaterThan(1);
    // One for each key, and one for the lease of each run.
    expect(commandsSince(first).filter((name) => name === "SET")).toHaveLength(KEYS + codes.length);
  });

  it("goes on with what was not settled, and a run without a limit looks at everything", async () => {
    for (let n = 0; n < 40; n++) await redis("HSET", `h${n}`, "f", "v");
    const flags = ["--max-commands", "40"];
    expect((await sync(...flags)).code).toBe(12);
    const settled = (await kept().find().toArray()).map(({ _id }) => _id);
    for (let n = 0; n < 40; n++) await redis("HSET", `h${n}`, "f", "w");
    const values = async (): Promise<string[]> =>
      (await kept().find().toArray()).flatMap(({ _id, value }) => (value[0].v === "v" ? [_id] : []));
    const { summary } = await sync("--max-commands", "200");
    expect(summary).toMatchObject({
      exitCode: 0,
      copyWritten: 40 - settled.length,
      resumed: { documents: settled.length },
    });
    expect((await values()).sort()).toEqual(settled.sort());
    expect((await sync(...flags)).code).toBe(12);
    const whole = await sync();
    expect(whole.summary).toMatchObject({ exitCode: 0, resumed: null });
    expect(await values()).toEqual([]);
  });

  it("names with the last of several limited runs what those before it had named", async () => {
    for (let n = 0; n < 40; n++) await redis("HSET", `h${n}`, "f", "v");
    expect((await sync()).code).toBe(0);
    await kept().updateMany({}, { $set: { "value.0.v": "mine" } });
    const flags = ["--max-commands", "40"];
    const first = await sync(...flags);
    expect(first.code).toBe(12);
    expect(first.all.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("changed in MongoDB since both agreed"),
    );
    await kept().updateMany({}, { $set: { "value.0.v": "v" } });
    const last = await sync(...flags);
    expect([last.code, last.summary.items]).toEqual([3, 0]);
    expect(last.summary.verdict).toMatch(
      /^Not all in step: .* of which \d+ were named, and were not compared again\.$/,
    );
    const noted = async () =>
      await pair.to
        .db(pair.database)
        .collection<Document & { _id: string }>("_dualsync")
        .findOne({ _id: "filled" });
    expect(await noted()).toMatchObject({ command: "sync-kv", complete: true, verified: false });
    expect((await sync()).code).toBe(0);
    expect(await noted()).toMatchObject({ verified: true });
  });
});
