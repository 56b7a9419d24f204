import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { Random } from "../../shops/random.ts";
import type { CliOptions } from "../../support/cli.ts";
import { type KeyState, kvSnapshot } from "../../support/data/kv-snapshot.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/** Restores into a KV store, and their undoing, ended at random moments: in the end all is as it was before. */
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const ROUNDS = LONG ? 150 : 3;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 1_129);
/** Requests of a restore and of an undo, about: all of them, and those that write. */
const OF_RESTORE = { all: 70, writing: 7 };
const OF_UNDO = { all: 24, writing: 4 };
/** EVAL alone may be a look at a key whose name is no text. */
const WRITING = /^(?:MSETNX|EVALSHA|HSET|SETRANGE|PEXPIRE|UNLINK|DEL)$/;
/** After a request, in milliseconds: what is under way is ended, too. */
const LATEST = 20;
const END = Date.UTC(2099, 0, 1);
/** More than is written at once: it is put together apart, and appears whole. */
const LARGE = "x".repeat(1_000_000);
const EACH = 12;

const KINDS = ["text", "ends", "hash", "list", "set", "zset", "stream"] as const;
type Kind = (typeof KINDS)[number];
type Keys = Readonly<Record<string, KeyState>>;
type Command = readonly (string | number | Uint8Array)[];

/** A key of each kind holds `text` and nothing that another text gives. */
function filling(kind: Kind, key: string, text: string, end: number): readonly Command[] {
  const stays: Readonly<Record<Kind, Command>> = {
    text: ["SET", key, JSON.stringify({ text })],
    ends: ["SET", key, text, "PXAT", end],
    hash: ["HSET", key, "a", text, "b", `${text}!`],
    list: ["RPUSH", key, text, "x", text],
    set: ["SADD", key, text, "1", "2"],
    zset: ["ZADD", key, 1.5, text, 2, "b"],
    stream: ["XADD", key, "5-1", "at", text],
  };
  const some = ["DEL", key] as const;
  return kind === "hash" ? [some, stays[kind], ["PEXPIREAT", key, end]] : [some, stays[kind]];
}

describe.runIf(await canRunRedis())("a restore into a KV store", () => {
  const pair = kvPair();
  const { redis } = pair;
  const held = (): Promise<Keys> => kvSnapshot(redis);
  const fill = async (kind: Kind, number: number, text: string, end = END): Promise<void> => {
    for (const command of filling(kind, `${kind}:${number}`, text, end)) await redis(...command);
  };

  /** What the copy has: keys of each kind, a name and a text of any bytes, and two that are large. */
  async function whole(): Promise<void> {
    await pair.upstash.redis.flush();
    for (const kind of KINDS) for (let n = 0; n < EACH; n++) await fill(kind, n, `v${n}`);
    await redis("SET", Buffer.from([0xff, 0x00, 0x80]), Buffer.from([0, 1, 2, 0xfe]));
    await redis("SET", "large", LARGE);
    await redis("HSET", "large hash", "a", LARGE, "b", "1");
  }

  /** Some are gone, some hold something else, expire at another time or are of another type, and some are new. */
  async function damage(random: Random): Promise<void> {
    await whole();
    for (const kind of KINDS)
      for (let n = 0; n < EACH; n++) {
        const draw = random.whole(0, 9);
        if (draw < 3) await redis("DEL", `${kind}:${n}`);
        else if (draw < 5) await fill(kind, n, "other");
        else if (draw === 5) await fill(kind, n, `v${n}`, END + 60_000);
        else if (draw === 6) await redis("SET", `${kind}:${n}`, "of another type");
        if (draw === 7) await fill(kind, EACH + n, "new");
      }
    if (random.chance(0.5)) await redis("DEL", "large", "large hash");
    else await redis("HSET", "large hash", "a", "other");
  }

  const MODES = [
    [],
    ["--mode", "overwrite"],
    ["--mode", "exact", "--include-newer", "--allow-shrink"],
  ] as const;

  function wantedOf(before: Keys, copied: Keys, mode: readonly string[]): Keys {
    if (mode.includes("exact")) return copied;
    return mode.includes("overwrite") ? { ...before, ...copied } : { ...copied, ...before };
  }

  /** Each key is as it was, or as it is to be. */
  function expectWhole(now: Keys, before: Keys, wanted: Keys, about: string): void {
    for (const key of new Set([now, before, wanted].flatMap((keys) => Object.keys(keys)))) {
      const some = [before[key], wanted[key]].map((state) => JSON.stringify(state));
      expect(some, `${key}: ${about}`).toContain(JSON.stringify(now[key]));
    }
  }

  function differ(some: Keys, others: Keys): boolean {
    const keys = Object.keys({ ...some, ...others });
    return keys.some((key) => JSON.stringify(some[key]) !== JSON.stringify(others[key]));
  }

  /** Ends the process at one of its requests: before the store has carried it out, after that, or a moment later. */
  function ended(random: Random, requests: typeof OF_RESTORE) {
    const isWriting = random.chance(0.7);
    const at = random.whole(1, isWriting ? requests.writing : requests.all);
    const how = random.pick(["before", "after", "later", "later"] as const);
    const signal = how === "later" ? random.pick(["SIGKILL", "SIGINT", "SIGTERM"] as const) : "SIGKILL";
    const delay = how === "later" ? random.whole(0, LATEST) : 0;
    const stall = { before: { stall: "before" }, after: { stall: { after: 0 } }, later: {} } as const;
    const fault = pair.fail({
      on: ({ commands }) => !isWriting || commands.some((name) => WRITING.test(name)),
      ...{ at, ...stall[how] },
    });
    const onStart: CliOptions["onStart"] = async (child) => {
      let isOver = false;
      child.once("exit", () => {
        isOver = true;
      });
      while (fault.hits === 0 && !isOver) await wait(1);
      // Of what is never answered it is not known when the store has done it.
      await wait(how === "after" ? LATEST : delay);
      child.kill(signal);
      if (how === "later") fault.stop();
    };
    return {
      about: `${signal} ${how} ${isWriting ? "writing " : ""}request ${at} (${delay} ms)`,
      options: { onStart },
      fault,
    };
  }

  it(`ended at ${ROUNDS} random moments (seed ${SEED}) is completed by the same command, loses no key, and is undone to the last byte`, {
    timeout: ROUNDS * 60_000,
  }, async () => {
    const random = new Random(SEED);
    const tally = { ended: 0, done: 0, halfWay: 0, undosEnded: 0, undosDone: 0 };
    const cwd = mkdtempSync(join(tmpdir(), "dualsync-killed-"));
    await whole();
    const copied = await held();
    const synced = await pair.run(["sync-kv"], cwd);
    expect(synced.code, synced.stdout + synced.stderr).toBe(0);
    const runs = () =>
      existsSync(join(cwd, ".dualsync"))
        ? readdirSync(join(cwd, ".dualsync")).flatMap((name) => /^undo-(.*)\.journal$/.exec(name)?.[1] ?? [])
        : [];
    for (let round = 0; round < ROUNDS; round++) {
      await damage(random);
      const before = await held();
      const mode = random.pick(MODES);
      const wanted = wantedOf(before, copied, mode);
      const args = ["restore", "--to", "kv", "--apply", "--confirm", pair.kv, ...mode];
      const end = ended(random, OF_RESTORE);
      const first = `seed ${SEED}, round ${round}: ${end.about} of ${args.join(" ")}`;
      const known = new Set(runs());
      const fresh: string[] = [];
      const noteRuns = () => {
        for (const run of runs()) if (!known.has(run)) fresh.push(run);
        for (const run of fresh) known.add(run);
      };
      const result = await pair.run(args, cwd, end.options);
      end.fault.stop();
      noteRuns();
      const about = `${first}\n${result.stdout}${result.stderr}`;
      expect([null, 0, 130, 143], about).toContain(result.code);
      tally[result.code === 0 ? "done" : "ended"]++;
      const now = await held();
      expectWhole(now, before, wanted, about);
      if (differ(now, before) && differ(now, wanted)) tally.halfWay++;
      if (result.code === 0) expect(now, about).toEqual(wanted);
      if (random.chance(0.8)) {
        const again = await pair.run(args, cwd);
        noteRuns();
        expect(again.code, `${about}\n${again.stdout}${again.stderr}`).toBe(0);
        expect(await held(), about).toEqual(wanted);
      }
      for (const run of fresh.toReversed()) {
        const was = await held();
        const undoEnd = ended(random, OF_UNDO);
        const undone = await pair.run(["undo", run, "--yes"], cwd, undoEnd.options);
        undoEnd.fault.stop();
        const undoing = `${about}\nundo: ${undoEnd.about}\n${undone.stdout}${undone.stderr}`;
        expect([null, 0, 2, 130, 143], undoing).toContain(undone.code);
        tally[undone.code === 0 || undone.code === 2 ? "undosDone" : "undosEnded"]++;
        expectWhole(await held(), was, before, undoing);
        const last = await pair.run(["undo", run, "--yes"], cwd);
        expect([0, 2], `${undoing}\n${last.stdout}${last.stderr}`).toContain(last.code);
      }
      expect(await held(), about).toEqual(before);
      // Nothing was restored in the end: what is left of dualsync's own goes by itself, and the copy is what it was.
      for (const key of (await redis("KEYS", "_dualsync*")) as Uint8Array[])
        expect(await redis("PTTL", key), `${Buffer.from(key)}: ${about}`).toBeGreaterThan(0);
      await whole();
      const compared = await pair.run(["diff", "--settle", "0"], cwd);
      expect(compared.code, `${about}\n${compared.stdout}${compared.stderr}`).toBe(0);
    }
    rmSync(cwd, { recursive: true });
    console.log(`${ROUNDS} rounds of restore into KV, seed ${SEED}: ${JSON.stringify(tally)}`);
    expect(tally.ended).toBeGreaterThan(ROUNDS / 3);
    expect(tally.undosEnded).toBeGreaterThan(0);
  });
});
