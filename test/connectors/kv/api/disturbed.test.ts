import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { KvClient, KvCommand } from "../../../../src/connectors/kv/api/commands.ts";
import type { Clock } from "../../../../src/connectors/wrappers/clock.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { answerOf, failure, htmlFailure, texts, tooManyRequests } from "../../../services/upstash/answers.ts";
import { Random } from "../../../shops/random.ts";
import { kvService, ONCE, REPEATABLE } from "../../../support/stores/kv-service.ts";
import { failureOf, quick } from "../../../support/stores/scripted-project.ts";

const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const CALLS = LONG ? 2_000 : 200;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 15);
const WORKERS = 4;

/** Moves on to the end of the shortest wait when all that work are waiting, and stands still meanwhile. */
class WorkClock implements Clock {
  time = 0;
  #working: number;
  readonly #waiting: { readonly until: number; readonly go: () => void }[] = [];

  constructor(working: number) {
    this.#working = working;
  }

  now(): number {
    return this.time;
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ until: this.time + milliseconds, go });
      this.#move();
    });
  }

  /** One of them has no more work. */
  ended(): void {
    this.#working--;
    this.#move();
  }

  #move(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#working) return;
    this.#waiting.sort((left, right) => left.until - right.until);
    const next = this.#waiting.shift();
    this.time = Math.max(this.time, next?.until ?? 0);
    next?.go();
  }
}

/** Stands still until it is moved. */
class StandingClock implements Clock {
  time = 0;
  waiting: { readonly until: number; readonly go: () => void }[] = [];

  now(): number {
    return this.time;
  }

  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((go, fail) => {
      this.waiting.push({ until: this.time + milliseconds, go });
      signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    });
  }

  moveTo(time: number): void {
    this.time = time;
    const due = this.waiting.filter(({ until }) => until <= time);
    this.waiting = this.waiting.filter(({ until }) => until > time);
    for (const { go } of due) go();
  }
}

/** Patient, and at once by its clock. */
const patient = { retries: 60, patience: 60_000, firstWait: 200, longestWait: 2_000 };

describe.runIf(await canRunRedis())("a disturbed KV store", () => {
  const kv = kvService();

  /** Notes what is sent before the time that a server asked to wait for is over. */
  function watchPauses(clock: Clock): string[] {
    const early: string[] = [];
    let until = 0;
    const { fetch } = globalThis;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (...sent) => {
      if (clock.now() < until) early.push(`${clock.now()} < ${until}`);
      const response = await fetch(...sent);
      const seconds = Number(response.headers.get("retry-after") ?? 0);
      if (seconds > 0) {
        const copy = response.clone();
        const end = clock.now() + seconds * 1000;
        // What is sent until the answer was read to its end is sent unawares.
        void copy.arrayBuffer().then(async () => {
          await tick();
          until = Math.max(until, end);
        });
      }
      return response;
    });
    return early;
  }

  it(`${CALLS} calls of which half are disturbed: no wrong data, and nothing sent while the service asks to wait`, async () => {
    const random = new Random(SEED);
    const drawn = new Map<object, number>();
    const share = (from: number, to: number) => (request: object) => {
      const draw = drawn.get(request) ?? random.whole(0, 99);
      drawn.set(request, draw);
      return draw >= from && draw < to;
    };
    kv.fail({ on: share(0, 10), answer: tooManyRequests(1) });
    kv.fail({ on: share(10, 20), answer: tooManyRequests(3) });
    kv.fail({ on: share(20, 30), answer: { status: 429, headers: {} } });
    kv.fail({ on: share(30, 35), answer: htmlFailure(503) });
    kv.fail({ on: share(35, 40), answer: htmlFailure(500) });
    kv.fail({ on: share(40, 43), reset: "before" });
    kv.fail({ on: share(43, 45), reset: "lost-reply" });
    kv.fail({ on: share(45, 48), cut: { after: 9 } });
    kv.fail({ on: share(48, 49), cut: { after: 12, chunked: true } });
    kv.fail({ on: share(49, 50), answer: answerOf(200, '[{"result":"eA==') });
    const clock = new WorkClock(WORKERS);
    const early = watchPauses(clock);
    const client = kv.open({ clock, policy: patient });
    const wrong: string[] = [];
    const work = async (worker: number): Promise<void> => {
      const own = new Map<string, Buffer>();
      for (let call = 0; call < CALLS / WORKERS; call++) {
        const key = `${worker} ${random.whole(0, 9)}`;
        const value = Buffer.from(Array.from({ length: random.whole(0, 40) }, () => random.whole(0, 255)));
        const commands: KvCommand[] = [
          ["GET", key],
          ["SET", key, value],
          ["STRLEN", key],
          ["GET", key],
        ];
        const how = random.whole(0, 1) === 0 ? "run" : "transaction";
        const [before, done, length, after] = await client[how](commands, REPEATABLE);
        // It may have been written by a try whose answer was lost.
        const expected = [own.get(key) ?? null, value].map((one) => one?.toString("hex"));
        const found = (before as Buffer | null)?.toString("hex");
        const right = String(done) === "OK" && length === value.length && value.equals(after as Buffer);
        if (!right || !expected.includes(found)) wrong.push(`seed ${SEED}, call ${call} of ${worker}`);
        own.set(key, value);
      }
      for (const [key, value] of own)
        if (!value.equals((await client.run([["GET", key]], REPEATABLE))[0] as Buffer)) wrong.push(key);
      clock.ended();
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
    vi.restoreAllMocks();
    expect(wrong).toEqual([]);
    expect(early).toEqual([]);
  });

  describe("that asks to wait", () => {
    const soon = (): Date => new Date(Date.now() + 9_000);

    it.each([
      ["seconds", (): ReturnType<typeof tooManyRequests> => tooManyRequests(7), 7_000, 7_000],
      ["a date", () => tooManyRequests(soon()), 7_000, 9_000],
    ])("holds back every call, in %s", async (_, answer, least, most) => {
      const clock = new StandingClock();
      const client = kv.open({ clock, policy: patient });
      kv.fail({ times: 1, answer: answer() });
      const begun = kv.upstash.requests.length;
      const first = client.run([["GET", "a"]], REPEATABLE);
      await expect.poll(() => clock.waiting.length, { interval: 1 }).toBe(1);
      const others = [client.run([["GET", "a"]], REPEATABLE), client.transaction([["GET", "a"]], ONCE)];
      await expect.poll(() => clock.waiting.length, { interval: 1 }).toBe(3);
      clock.moveTo(least - 1);
      await tick();
      expect(clock.waiting).toHaveLength(3);
      expect(kv.upstash.requests).toHaveLength(begun + 1);
      clock.moveTo(most + patient.firstWait);
      expect(await Promise.all([first, ...others])).toEqual([[null], [null], [null]]);
    });

    it("longer than anybody waits ends every call at once, and nothing is sent until then", async () => {
      const clock = new StandingClock();
      const client = kv.open({ clock, policy: patient });
      kv.fail({ times: 1, answer: tooManyRequests(3_600) });
      const begun = kv.upstash.requests.length;
      for (const passed of [0, 1_000_000]) {
        clock.moveTo(passed);
        const error = await failureOf(client.run([["GET", "a"]], REPEATABLE));
        expect(error).toMatchObject({ reason: "throttled", retryable: true, retryAfter: 3_600_000 - passed });
      }
      expect(kv.upstash.requests).toHaveLength(begun + 1);
      clock.moveTo(3_600_000);
      expect(await client.run([["GET", "a"]], REPEATABLE)).toEqual([null]);
    });
  });

  it("that is down for an hour by its own words is said to be so until then", async () => {
    const clock = new StandingClock();
    const client = kv.open({ clock, policy: patient });
    kv.fail({ times: 1, answer: htmlFailure(503, { "Retry-After": "3600" }) });
    const messages = [
      await failureOf(client.run([["GET", "a"]], REPEATABLE)),
      await failureOf(client.run([["GET", "a"]], REPEATABLE)),
    ];
    for (const { message } of messages)
      expect(message).toBe("The source 127.0.0.1 is not available (HTTP 503).");
  });

  it("that says until when a quota is used up is still asked", async () => {
    const client = kv.open({ policy: patient });
    kv.fail({ times: 1, answer: failure(400, texts.dailyQuota(), { "Retry-After": "3600" }) });
    expect((await failureOf(client.run([["GET", "a"]], REPEATABLE))).reason).toBe("quota");
    expect(await client.run([["GET", "a"]], REPEATABLE)).toEqual([null]);
  });

  describe("commands that must not be run twice", () => {
    it("are sent once where they may have been run", async () => {
      const client = kv.open();
      kv.fail({ times: 1, reset: "lost-reply" });
      const error = await failureOf(client.transaction([["INCR", "n"]], ONCE));
      expect(error).toMatchObject({ exit: "source", retryable: false });
      expect(error.message).toMatch(/^It is not known whether/);
      expect(await client.run([["GET", "n"]], REPEATABLE)).toEqual([Buffer.from("1")]);
    });

    it("are sent again where they were not", async () => {
      const client = kv.open();
      kv.fail({ times: 1, answer: tooManyRequests(0) });
      kv.fail({ times: 1, items: { error: "ERR too many requests" } });
      expect(
        await client.run(
          [
            ["INCR", "n"],
            ["INCR", "n"],
          ],
          ONCE,
        ),
      ).toEqual([1, 2]);
    });

    it("say when a quota ended between two of their requests", async () => {
      const client = kv.open();
      kv.fail({ at: 2, answer: failure(400, texts.monthlyQuota()) });
      const commands = Array.from({ length: 600 }, (): KvCommand => ["INCR", "n"]);
      const error = await failureOf(client.run(commands, ONCE));
      expect(error.message).toMatch(/carried out a part of/);
      expect(error.reason).toBe("quota");
      expect(await client.run([["GET", "n"]], REPEATABLE)).toEqual([Buffer.from("500")]);
    });
  });

  it("an answer that does not come is never taken for a missing key", async () => {
    await kv.upstash.redis.run("SET", "k", "v");
    const client = kv.open({ limits: { deadline: 30, stall: 30 }, policy: { ...quick, retries: 1 } });
    for (const after of [0, 1, 10, 20]) {
      const fault = kv.fail({ stall: { after } });
      expect(await failureOf(client.run([["GET", "k"]], REPEATABLE))).toMatchObject({ retryable: true });
      fault.stop();
    }
    expect(await kv.open().run([["GET", "k"]], REPEATABLE)).toEqual([Buffer.from("v")]);
  });

  describe("a signal", () => {
    const waits: ReadonlyArray<readonly [string, (client: KvClient) => void]> = [
      ["an answer", () => void kv.fail({ stall: "before" })],
      ["the rest of an answer", () => void kv.fail({ stall: { after: 3 } })],
      ["another try", () => void kv.fail({ answer: htmlFailure(503) })],
      ["the time that the service asks for", () => void kv.fail({ answer: tooManyRequests(20) })],
      ["its turn", (client) => client.pace(0.01)],
    ];
    it.each(waits)("ends the wait for %s", async (_, disturb) => {
      const client = kv.open({ policy: { ...patient, firstWait: 30_000, longestWait: 30_000 } });
      disturb(client);
      const stop = new AbortController();
      const reason = new Error("stopped");
      const call = client.run([["GET", "k"]], { ...REPEATABLE, signal: stop.signal });
      const timer = setTimeout(() => stop.abort(reason), 30);
      await expect(call).rejects.toBe(reason);
      clearTimeout(timer);
      await expect(client.run([["GET", "k"]], { ...REPEATABLE, signal: stop.signal })).rejects.toBe(reason);
    });
  });
});
