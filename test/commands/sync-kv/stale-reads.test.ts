import type { Document } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import type { ActiveFault } from "../../services/http/faults.ts";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { Random } from "../../shops/random.ts";
import { records } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { type KeyState, kvSnapshot } from "../../support/data/kv-snapshot.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/**
 * A store whose reads may come from a replica that is behind. A run whose sync token tells what the primary has seen comes to what one
 * comes to that reads from the primary. Where each answer tells only what the replica itself has seen, that holds for runs that write to
 * KV, and others take the store for what it was: nothing is lost by that, and the next run comes to the same end.
 */
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const ROUNDS = LONG ? 20 : 1;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 15);
const KEYS = 12;
const END = Date.UTC(2099, 0, 1);

type Replica = "none" | "known" | "unaware";
type Command = readonly (string | number)[];

/** What there is in the end. */
interface Outcome {
  readonly code: number | null;
  /** What the run named. */
  readonly named: readonly string[];
  readonly kv: Readonly<Record<string, KeyState>>;
  readonly mongodb: readonly Document[];
}

function namedIn({ stdout }: { readonly stdout: string }): string[] {
  return records(stdout)
    .filter(({ type }) => type === "item" || type === "diff")
    .map(({ kind, id, key }) => `${kind ?? ""} ${id ?? key}`)
    .sort();
}

describe.runIf(await canRunRedis())("a KV store whose replica is behind", () => {
  const pair = kvPair();
  const faults: ActiveFault[] = [];
  const stop = () => {
    for (const fault of faults.splice(0)) fault.stop();
  };
  afterEach(stop);

  /** An application's own write, over the same edge: what has happened since is counted there. */
  async function write(...command: Command): Promise<void> {
    const response = await fetch(pair.upstash.url, {
      method: "POST",
      headers: { authorization: `Bearer ${pair.upstash.token}` },
      body: JSON.stringify(command.map(String)),
    });
    expect(response.status, await response.text()).toBe(200);
  }

  function change(random: Random, about: string, expires: boolean): readonly Command[] {
    const key = `k${random.whole(1, KEYS + 4)}`;
    const end = expires ? ["PXAT", END + random.whole(1, 9) * 60_000] : [];
    return random.pick<readonly Command[]>([
      [["SET", key, about]],
      [["SET", key, about, ...end]],
      [["DEL", key]],
      [
        ["DEL", key],
        ["HSET", key, "f", about],
      ],
      [
        ["DEL", key],
        ["RPUSH", key, about, "x"],
      ],
    ]);
  }

  /**
   * The same steps for the same seed: both sides agree, KV is written, the replica stays behind, perhaps both agree once more, both
   * sides are written, and then the command runs.
   */
  async function outcomes(
    seed: number,
    args: readonly string[],
    replica: Replica,
    next: readonly string[] | undefined,
  ): Promise<readonly Outcome[]> {
    await pair.upstash.redis.flush();
    const database = `${pair.database}_${seed}_${replica}`;
    await pair.to.db(database).dropDatabase();
    const random = new Random(seed);
    const cwd = newFolder();
    const run = (command: readonly string[]) =>
      pair.run([...command, "--json"], cwd, { env: { MONGODB_DB_NAME: database } });
    const expires = random.chance(0.5);
    const writes = async (about: string, count: number) => {
      for (let n = 0; n < count; n++)
        for (const command of change(random, `${about}${n}`, expires)) await write(...command);
    };
    for (let n = 1; n <= KEYS; n++) await write("SET", `k${n}`, `v${n}`);
    expect((await run(["sync-kv"])).code).toBe(0);
    await writes("before", 3);
    let lagging = false;
    if (replica !== "none")
      faults.push(await pair.upstash.lag({ on: () => lagging }, replica === "unaware" ? "unaware" : true));
    await writes("agreed", 3);
    if (random.chance(0.7)) expect([0, 3]).toContain((await run(["sync-kv"])).code);
    await writes("after", 3);
    const kept = pair.to.db(database).collection<Document & { _id: string }>("kv_records");
    for (let n = 0; n < 3; n++) {
      const _id = `k${random.whole(1, KEYS)}`;
      await kept.updateOne({ _id, type: "string" }, { $set: { value: `m${n}` } });
    }
    const found: Outcome[] = [];
    for (const command of next === undefined ? [args] : [args, next]) {
      lagging = found.length === 0;
      const { code, stdout, stderr } = await run(command);
      expect([0, 1, 3], `seed ${seed}, ${replica}\n${stdout}${stderr}`).toContain(code);
      const fields = { _id: 1, type: 1, value: 1, raw: 1, expiresAt: 1 };
      found.push({
        code,
        named: namedIn({ stdout }),
        kv: await kvSnapshot(pair.redis),
        mongodb: await kept.find().project(fields).sort({ _id: 1 }).toArray(),
      });
    }
    if (replica !== "none") expect(faults[0]?.hits, `${seed}`).toBeGreaterThan(0);
    stop();
    await pair.to.db(database).dropDatabase();
    return found;
  }

  it("shows no old value: what an application has just written is neither called equal nor written over", async () => {
    const cwd = newFolder();
    for (const key of ["a", "b", "c"]) await write("SET", key, "old");
    expect((await pair.run(["sync-kv"], cwd)).code).toBe(0);
    faults.push(await pair.upstash.lag());
    await write("SET", "a", "new");
    await write("DEL", "b");
    await write("SET", "d", "new");
    const compared = await pair.run(["diff", "--json", "--settle", "0"], cwd);
    expect(compared.code, compared.stdout).toBe(1);
    expect(namedIn(compared)).toEqual(["changed a", "extra b", "missing d"]);
    const kept = pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");
    await kept.updateMany({ _id: { $in: ["a", "c"] } }, { $set: { value: "of MongoDB" } });
    const written = await pair.run(["sync-kv", "--json", "--direction", "to-kv"], cwd);
    expect([written.code, namedIn(written)]).toEqual([3, [" key a"]]);
    const texts = await Promise.all(["a", "b", "c", "d"].map((key) => pair.redis("GET", key)));
    expect(texts.map(String)).toEqual(["new", "old", "of MongoDB", "new"]);
    await write("SET", "c", "newer");
    expect((await pair.run(["sync-kv", "--on-conflict", "kv"], cwd)).code).toBe(0);
    const copied = await kept.find().sort({ _id: 1 }).toArray();
    expect(copied.map(({ value }) => value)).toEqual(["new", "old", "newer", "new"]);
  });

  const COMMANDS = {
    "sync-kv": ["sync-kv"],
    "sync-kv --delete": ["sync-kv", "--delete", "--yes", "--allow-shrink"],
    "sync-kv --direction to-kv": ["sync-kv", "--direction", "to-kv"],
    "sync-kv --direction to-kv --delete": [
      ...["sync-kv", "--direction", "to-kv", "--delete", "--yes", "--allow-shrink"],
    ],
    "sync-kv --direction both": ["sync-kv", "--direction", "both"],
    "sync-kv --direction both --on-conflict mongodb": [
      ...["sync-kv", "--direction", "both", "--on-conflict", "mongodb"],
    ],
    diff: ["diff", "--settle", "0"],
    "diff --from mongodb": ["diff", "--settle", "0", "--from", "mongodb", "--to", "kv"],
  };

  it.each(Object.entries(COMMANDS))(
    `%s comes to what it comes to without it (seed ${SEED})`,
    {
      timeout: ROUNDS * 60_000,
    },
    async (name, args) => {
      for (let round = 0; round < ROUNDS; round++) {
        const seed = SEED * 1_000 + round;
        const [wanted] = await outcomes(seed, args, "none", undefined);
        expect(await outcomes(seed, args, "known", undefined), `seed ${seed}`).toEqual([wanted]);
        if (!name.includes("to-kv") && !name.includes("both")) continue;
        expect(await outcomes(seed, args, "unaware", undefined), `seed ${seed}, unaware`).toEqual([wanted]);
      }
    },
  );

  it("does no harm that lasts where no answer tells that there is something newer: KV is not written, and the next run makes up for it", {
    timeout: ROUNDS * 60_000,
  }, async () => {
    for (const args of [COMMANDS["sync-kv"], COMMANDS["sync-kv --delete"]])
      for (let round = 0; round < ROUNDS; round++) {
        const seed = SEED * 1_000 + round;
        const next = [...COMMANDS["sync-kv"], "--on-conflict", "kv"];
        const [, wanted] = await outcomes(seed, args, "none", next);
        const [first, second] = await outcomes(seed, args, "unaware", next);
        expect(first?.kv, `seed ${seed}`).toEqual(wanted?.kv);
        expect(second?.kv, `seed ${seed}`).toEqual(wanted?.kv);
        for (const key of Object.keys(wanted?.kv ?? {}))
          expect(
            second?.mongodb.find(({ _id }) => _id === key),
            `${key}, seed ${seed}`,
          ).toEqual(wanted?.mongodb.find(({ _id }) => _id === key));
      }
  });
});
