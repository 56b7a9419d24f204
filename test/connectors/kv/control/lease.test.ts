import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunRecord } from "../../../../src/connectors/powers/run-history.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { never } from "../../../support/signal.ts";
import { testRun } from "../../../support/stores/claimed.ts";
import { costOf, kvFixture, readAll } from "../../../support/stores/kv-store.ts";

const LEASE = "_dualsync:lease";
const RESTORING = "_dualsync:restoring";

describe.runIf(await canRunRedis())("the lease of a KV store", () => {
  const kv = kvFixture();
  afterEach(() => vi.useRealTimers());

  it("lets one run write at a time, and says who it is", async () => {
    const [store, other] = [await kv.open(), await kv.open()];
    const session = await store.claim(testRun("one"), never);
    await expect(other.claim(testRun("two"), never)).rejects.toMatchObject({
      exit: "locked",
      message: expect.stringMatching(
        /kv\.test is locked by dualsync test on test-host \(process 1\) since 20/,
      ),
    });
    expect(await store.history.seesNonce(session.nonce, never)).toBe(true);
    expect(await other.history.seesNonce("another", never)).toBe(false);
    await session.release();
    const next = await other.claim(testRun("three"), never);
    await next.release();
  });

  it("costs four commands, and leaves the store as it was", async () => {
    await kv.redis("SET", "a", "v");
    const store = await kv.open();
    const { commands } = await costOf(kv, async () => {
      const session = await store.claim(testRun("one"), never);
      await session.release();
    });
    expect(commands).toBe(4);
    expect(store.costs.spent.commands).toBe(4);
    expect((await kv.redis("KEYS", "*")) as unknown[]).toHaveLength(1);
  });

  it("expires by the server's clock, and is renewed with one command", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const store = await kv.open();
    const session = await store.claim(testRun("one"), never);
    const left = async (): Promise<number> => Number(await kv.redis("PTTL", LEASE));
    expect(await left()).toBeGreaterThan(50_000);
    await kv.redis("PEXPIRE", LEASE, 5_000);
    const before = kv.upstash.billed;
    vi.advanceTimersByTime(20_000);
    await expect.poll(left).toBeGreaterThan(50_000);
    expect(kv.upstash.billed - before).toBe(1);
    expect(session.lost.aborted).toBe(false);
    await session.release();
  });

  it("is lost when it is gone or another's, and then nothing is written", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    for (const theft of [
      ["DEL", LEASE],
      ["SET", LEASE, "{}"],
    ] as const) {
      const store = await kv.open();
      const session = await store.claim(testRun("one"), never);
      await kv.redis(...theft);
      vi.advanceTimersByTime(20_000);
      await expect.poll(() => session.lost.aborted).toBe(true);
      await expect(session.guarded.apply("kv_records", [], never)).rejects.toMatchObject({ exit: "locked" });
      await session.release();
      await kv.redis("DEL", LEASE);
    }
  });

  it("is taken over from a holder that is certainly gone, and from nobody else", async () => {
    const [store, other] = [await kv.open(), await kv.open()];
    const session = await store.claim(testRun("one"), never);
    const next = await other.claim(testRun("two", true), never);
    expect(await other.history.seesNonce(next.nonce, never)).toBe(true);
    // Whose lease was taken over must not take it away from its successor.
    await session.release();
    expect(await other.history.seesNonce(next.nonce, never)).toBe(true);
    await next.release();
    expect(await kv.redis("EXISTS", LEASE)).toBe(0);
  });

  it("is not taken from its next holder by one that was asleep for long", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date", "performance"] });
    const [store, other] = [await kv.open(), await kv.open()];
    const session = await store.claim(testRun("one"), never);
    await kv.redis("DEL", LEASE);
    vi.setSystemTime(Date.now() + 90_000);
    const next = await other.claim(testRun("two"), never);
    await session.release();
    expect(await other.history.seesNonce(next.nonce, never)).toBe(true);
    await next.release();
  });

  it("is taken once where the answer was lost", async () => {
    const store = await kv.open();
    kv.fail({ times: 1, reset: "lost-reply" });
    const session = await store.claim(testRun("one"), never);
    expect(await store.history.seesNonce(session.nonce, never)).toBe(true);
    await session.release();
  });

  it("is taken where a replica answers that is behind, before or after another run held it", async () => {
    for (const held of ["nobody", "a run that is over"]) {
      const store = await kv.open();
      const before = held === "nobody" ? undefined : await (await kv.open()).claim(testRun("one"), never);
      const lag = await kv.upstash.lag({}, "unaware");
      onTestFinished(lag.stop);
      await before?.release();
      const session = await store.claim(testRun("two"), never);
      expect(String(await kv.redis("GET", LEASE))).toContain(session.nonce);
      await session.release();
      expect([held, await kv.redis("EXISTS", LEASE)]).toEqual([held, 0]);
      lag.stop();
    }
  });

  it("is released however few commands may be sent", async () => {
    const store = await kv.open();
    const session = await store.claim(testRun("one"), never);
    store.costs.limit(store.costs.spent.commands);
    await expect(readAll(store)).rejects.toMatchObject({ exit: "inconclusive" });
    await session.release();
    expect(await kv.redis("EXISTS", LEASE)).toBe(0);
  });

  it("does not hide that another key expires", async () => {
    const store = await kv.open();
    const session = await store.claim(testRun("one"), never);
    await kv.redis("SET", "stays", "v");
    expect((await costOf(kv, () => readAll(store))).commands).toBe(3);
    await kv.redis("SET", "ends", "v", "PX", 100_000);
    const all = await readAll(store);
    const isDue = await store.expiry.of({} as never, never);
    const later = new Date(Date.now() + 200_000);
    expect([...all.values()].filter((doc) => isDue(doc, later))).toHaveLength(1);
    await session.release();
  });

  const restore: RunRecord = {
    command: "restore",
    from: "copy",
    run: "r1",
    token: "t",
    complete: false,
    verified: false,
    since: new Date(5),
    documents: new Map([["kv_records", 3]]),
    scope: { mode: "fill", collections: new Map([["kv_records", ""]]) },
  };

  it("holds the mark of a restore until that is complete, and nothing of other runs", async () => {
    const store = await kv.open();
    const session = await store.claim({ ...testRun("one"), command: "restore" }, never);
    expect(await store.history.read(never)).toEqual({ collections: new Map() });
    await session.record({ ...restore, command: "sync-kv" });
    expect(await kv.redis("EXISTS", RESTORING)).toBe(0);
    await session.record(restore);
    const found = await costOf(kv, () => store.history.read(never));
    expect(found.result.lastRestore).toEqual(restore);
    expect(found.commands).toBe(1);
    expect(await store.count("kv_records", {}, never)).toBe(0);
    await session.record({ ...restore, complete: true });
    expect(await kv.redis("EXISTS", RESTORING)).toBe(0);
    await session.record({
      ...restore,
      complete: true,
      earlier: [{ run: "r0", from: "copy", since: new Date(1) }],
    });
    expect((await store.history.read(never)).lastRestore?.earlier).toHaveLength(1);
    await session.release();
  });

  it("is refused where its key, or that of the mark, holds something else", async () => {
    await kv.redis("SET", RESTORING, "not ours");
    const store = await kv.open();
    await expect(store.history.read(never)).rejects.toMatchObject({ exit: "target" });
    await kv.redis("RPUSH", LEASE, "not ours");
    await expect(store.claim(testRun("one"), never)).rejects.toMatchObject({ exit: "target" });
  });
});
