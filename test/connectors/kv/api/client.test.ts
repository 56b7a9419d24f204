import { describe, expect, it } from "vitest";
import {
  type KvCommand,
  KvRefusal,
  MOST_BINARY_ARGUMENTS,
} from "../../../../src/connectors/kv/api/commands.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { answerOf } from "../../../services/upstash/answers.ts";
import { kvService, ONCE, REPEATABLE } from "../../../support/stores/kv-service.ts";
import { failureOf } from "../../../support/stores/scripted-project.ts";

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const OK = Buffer.from("OK");
const MEGABYTE = 1024 * 1024;

describe.runIf(await canRunRedis())("the client of a KV store", () => {
  const kv = kvService();

  it.each(["run", "transaction"] as const)(
    "gives one reply for each command, texts as bytes (%s)",
    async (how) => {
      const client = kv.open();
      const replies = await client[how](
        [
          ["SET", "a", "OK"],
          ["GET", "a"],
          ["MGET", "a", "none"],
          ["LPUSH", "a", 1],
          ["INCR", "n"],
          ["GET", "n"],
        ],
        REPEATABLE,
      );
      expect(replies).toEqual([OK, OK, [OK, null], new KvRefusal("WRONGTYPE"), 1, Buffer.from("1")]);
      expect(client.spent).toMatchObject({ commands: 6, requests: 1 });
      expect(client.label).toBe("127.0.0.1");
      expect(await client[how]([], REPEATABLE)).toEqual([]);
      expect(client.spent.requests).toBe(1);
    },
  );

  it("sends texts as they are, however they look", async () => {
    const client = kv.open();
    const texts = ["", "test", "null", "1.10", '"q"', "\uFEFFmark", "a\0b\r\n\u2028", "😀", "[1]", "\\u00e9"];
    for (const value of texts) {
      const key = `key ${value}`;
      await client.run([["SET", key, value]], REPEATABLE);
      const [read] = await client.run([["GET", Buffer.from(key)]], REPEATABLE);
      expect(read).toEqual(Buffer.from(value));
    }
  });

  it("sends nothing that would arrive as something else", async () => {
    const client = kv.open();
    for (const command of [
      ["SET", "k", "\uD800"],
      ["EVALSHA", "abc", 0, ALL_BYTES],
      ["RPUSH", "k", ...Array.from({ length: MOST_BINARY_ARGUMENTS }, () => ALL_BYTES)],
    ] as KvCommand[])
      expect(await failureOf(client.run([command], REPEATABLE))).toMatchObject({ exit: "bug" });
    expect(client.spent.requests).toBe(0);
  });

  describe("bytes that are no text", () => {
    it.each(["run", "transaction"] as const)(
      "arrive in keys and values, in their order (%s)",
      async (how) => {
        const client = kv.open();
        const replies = await client[how](
          [
            ["SET", "first", "1"],
            ["SET", ALL_BYTES, ALL_BYTES],
            ["LPUSH", ALL_BYTES, ALL_BYTES],
            ["INCR", "first"],
            ["MGET", ALL_BYTES, "first"],
            ["GET", "first"],
          ],
          REPEATABLE,
        );
        const two = Buffer.from("2");
        expect(replies).toEqual([OK, OK, new KvRefusal("WRONGTYPE"), 2, [ALL_BYTES, two], two]);
        // Each run of neighbours with such bytes is one more.
        expect(client.spent).toMatchObject({ commands: 8, requests: 1 });
      },
    );

    it("arrive in each of their forms, for each type", async () => {
      const client = kv.open();
      const members = Array.from(ALL_BYTES, (byte) => Buffer.from([byte, 0xff]));
      await client.transaction(
        [
          ["HSET", "hash", ...members.flatMap((member) => [member, ALL_BYTES])],
          ["RPUSH", "list", ...members],
          ["SADD", "set", ...members],
          ["ZADD", "zset", ...members.flatMap((member, at) => [at, member])],
          ["XADD", "stream", "1-1", ALL_BYTES, ALL_BYTES],
        ],
        ONCE,
      );
      const [hash, list, set, zset, stream] = (await client.run(
        [
          ["HGETALL", "hash"],
          ["LRANGE", "list", 0, -1],
          ["SMEMBERS", "set"],
          ["ZRANGE", "zset", 0, -1],
          ["XRANGE", "stream", "-", "+"],
        ],
        REPEATABLE,
      )) as Buffer[][];
      const hex = (list: readonly Buffer[] = []): string[] => list.map((one) => one.toString("hex")).sort();
      expect(hex(hash)).toEqual(hex(members.flatMap((member) => [member, ALL_BYTES])));
      expect(list).toEqual(members);
      expect(hex(set)).toEqual(hex(members));
      expect(zset).toEqual(members);
      expect(stream).toEqual([[Buffer.from("1-1"), [ALL_BYTES, ALL_BYTES]]]);
    });

    it("are handed to scripts as keys and arguments, and billed as nothing more", async () => {
      const client = kv.open();
      const script = "redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], ARGV[1], ARGV[2]}";
      const how = { ...ONCE, bills: 2 };
      const [binary] = await client.run([["EVAL", script, 1, ALL_BYTES, ALL_BYTES, "text"]], how);
      expect(binary).toEqual([ALL_BYTES, ALL_BYTES, Buffer.from("text")]);
      const shebang = `#!lua flags=allow-oom\n${script}`;
      const [text] = await client.transaction([["EVAL", shebang, 1, "k", "xff", ALL_BYTES]], how);
      expect(text).toEqual([Buffer.from("k"), Buffer.from("xff"), ALL_BYTES]);
      const [keys] = await client.run([["EVAL", "return KEYS", 2, ALL_BYTES, "t"]], { ...ONCE, bills: 1 });
      expect(keys).toEqual([ALL_BYTES, Buffer.from("t")]);
      expect(client.spent.commands).toBe(5);
      expect(kv.upstash.requests.slice(-3).map(({ billed }) => billed)).toEqual([2, 2, 1]);
    });

    it("keep a transaction together: one that cannot be run leaves nothing of it", async () => {
      kv.upstash.settings.lacks = ["OBSOLETE"];
      const client = kv.open();
      const commands: KvCommand[] = [["SET", ALL_BYTES, "1"], ["SET", "k", "1"], ["OBSOLETE"]];
      expect(await client.transaction(commands, ONCE)).toEqual(
        commands.map(() => new KvRefusal("NOCOMMAND")),
      );
      expect(client.spent.commands).toBe(0);
      expect(await client.run([["EXISTS", "k", ALL_BYTES]], REPEATABLE)).toEqual([0]);
    });
  });

  describe("requests", () => {
    it("hold at most 500 commands, and transactions all of theirs", async () => {
      const client = kv.open();
      const commands = Array.from({ length: 1_203 }, (_, at): KvCommand => ["SET", `k${at}`, at]);
      expect(await client.run(commands, REPEATABLE)).toEqual(commands.map(() => OK));
      expect(client.spent).toMatchObject({ commands: 1_203, requests: 3 });
      const reads = commands.map(([, key = ""]): KvCommand => ["GET", key]);
      expect((await client.run(reads, REPEATABLE)).map(String)).toEqual(
        commands.map(([, , at]) => String(at)),
      );
      await client.transaction(commands, ONCE);
      expect(client.spent.requests).toBe(7);
    });

    it("hold a megabyte of arguments, and what is larger goes alone", async () => {
      const client = kv.open();
      const half = "x".repeat(MEGABYTE / 2 - 100);
      const large = "x".repeat(3 * MEGABYTE);
      const commands: KvCommand[] = [half, half, half, large, "x"].map((value, at) => [
        "SET",
        `k${at}`,
        value,
      ]);
      expect(await client.run(commands, REPEATABLE)).toEqual(commands.map(() => OK));
      expect(
        kv.upstash.requests
          .slice(-4)
          .map((request) => request.commands.filter((name) => name !== "PING").length),
      ).toEqual([2, 1, 1, 1]);
    });

    it("are not sent where they are larger than the service takes", async () => {
      const client = kv.open();
      const tooLarge = new KvRefusal("TOOLARGE");
      const commands: KvCommand[] = [
        ["SET", "small", "x"],
        ["SET", "large", "x".repeat(11 * MEGABYTE)],
        ["SET", "quotes", '"'.repeat(6 * MEGABYTE)],
      ];
      expect(await client.run(commands, REPEATABLE)).toEqual([OK, tooLarge, tooLarge]);
      expect(client.spent).toMatchObject({ commands: 1, requests: 1 });
      expect(await client.transaction(commands, ONCE)).toEqual([tooLarge, tooLarge, tooLarge]);
      expect(client.spent.requests).toBe(1);
    });

    it("are halved where the service takes less than it says", async () => {
      kv.upstash.settings.maxRequestBytes = 2_000;
      const client = kv.open();
      const commands = Array.from(
        { length: 9 },
        (_, at): KvCommand => ["SET", `k${at}`, "x".repeat(at === 4 ? 2_500 : 500)],
      );
      const expected = commands.map((_, at) => (at === 4 ? new KvRefusal("TOOLARGE") : OK));
      expect(await client.run(commands, ONCE)).toEqual(expected);
      expect(client.spent.commands).toBe(8);
      expect(
        await client.run(
          [
            ["GET", "k1"],
            ["MGET", "k0", "k1", "k2", "k3", "k5"],
          ],
          REPEATABLE,
        ),
      ).toEqual([Buffer.from("x".repeat(500)), new KvRefusal("TOOLARGE")]);
      kv.upstash.settings.maxRequestBytes = 10 * MEGABYTE;
    });
  });

  it("names a key that is too long and a command that the service does not have", async () => {
    const replies = await kv.open().run(
      [
        ["GET", "k".repeat(40_000)],
        ["SORT", "k"],
        ["GETT", "k"],
        ["SET", "k"],
      ],
      REPEATABLE,
    );
    expect(replies).toEqual(
      ["KEYTOOLONG", "NOCOMMAND", "NOCOMMAND", "ERR"].map((code) => new KvRefusal(code)),
    );
  });

  it("counts what is billed as the service does", async () => {
    const client = kv.open();
    const before = kv.upstash.billed;
    await client.run(
      [
        ["INFO"],
        ["PING"],
        ["SET", "k", "v"],
        ["LPUSH", "k", "x"],
        ["SORT", "k"],
        ["GET", "k".repeat(40_000)],
      ],
      REPEATABLE,
    );
    await client.transaction(
      [
        ["SET", ALL_BYTES, "v"],
        ["GET", "k"],
        ["HGET", ALL_BYTES, "f"],
      ],
      ONCE,
    );
    await client.run([["EVAL", "redis.call('GET', KEYS[1]) return redis.call('GET', KEYS[1])", 1, "k"]], {
      ...REPEATABLE,
      bills: 3,
    });
    kv.fail({ times: 1, reset: "lost-reply" });
    await client.run(
      [
        ["GET", "k"],
        ["GET", "k"],
      ],
      REPEATABLE,
    );
    kv.fail({ times: 1, answer: { status: 429, headers: {} } });
    await client.run([["GET", "k"]], REPEATABLE);
    expect(kv.upstash.billed - before).toBe(2 + 5 + 3 + 4 + 1);
    expect(client.spent.commands).toBe(kv.upstash.billed - before);
    expect(client.spent.bytes).toBeGreaterThan(1_000);
  });

  it("counts of a script what its reply shows, and of one that is not known the call alone", async () => {
    const client = kv.open();
    const before = kv.upstash.billed;
    const script = "if ARGV[1] == '1' then redis.call('GET', KEYS[1]) end return tonumber(ARGV[1]) + 1";
    const calls = [0, 1].map((value): KvCommand => ["EVAL", script, 1, "k", value]);
    const billed = (reply: unknown): number | undefined => (typeof reply === "number" ? reply : undefined);
    await client.run(calls, { ...REPEATABLE, bills: 4, billed });
    await client.run([["EVALSHA", "0".repeat(40), 0]], { ...REPEATABLE, bills: 3, billed });
    expect(kv.upstash.billed - before).toBe(4);
    expect(client.spent.commands).toBe(4);
  });

  it("knows the time by the server's clock", async () => {
    const client = kv.open();
    expect(client.time).toBeUndefined();
    kv.fail({
      times: 1,
      answer: answerOf(200, '[{"result":"UE9ORw=="},{"result":"UE9ORw=="}]', {
        Date: "Sat, 21 Nov 2026 12:00:00 GMT",
      }),
    });
    await client.run([["PING"]], REPEATABLE);
    expect(client.time).toEqual(new Date("2026-11-21T12:00:00Z"));
  });

  it("reads what it wrote, whichever replica answers", async () => {
    const client = kv.open();
    await client.run([["SET", "k", "old"]], REPEATABLE);
    const reading = kv.fail({
      times: 1,
      on: ({ commands }) => commands[0] === "GET",
      drip: { bytes: 1, ms: 10 },
    });
    const lagging = await kv.upstash.lag();
    const answers: string[] = [];
    const early = client.run([["GET", "k"]], REPEATABLE).finally(() => answers.push("reading"));
    await expect.poll(() => reading.hits, { interval: 1 }).toBe(1);
    await client.run([["SET", "k", "new"]], REPEATABLE);
    answers.push("writing");
    expect(await early).toEqual([Buffer.from("old")]);
    expect(answers).toEqual(["writing", "reading"]);
    expect(await client.run([["GET", "k"]], REPEATABLE)).toEqual([Buffer.from("new")]);
    expect(await kv.open().run([["GET", "k"]], REPEATABLE)).toEqual([Buffer.from("old")]);
    lagging.stop();
  });

  describe("with a limit on commands", () => {
    it("sends nothing of a call that would exceed it", async () => {
      const client = kv.open();
      client.limit(5);
      await client.run(
        [
          ["GET", "a"],
          ["GET", "b"],
        ],
        REPEATABLE,
      );
      const { requests } = client.spent;
      const four: KvCommand[] = Array.from({ length: 4 }, () => ["GET", "a"]);
      const error = await failureOf(client.run(four, REPEATABLE));
      expect(error).toMatchObject({ exit: "inconclusive", message: "The limit of 5 commands is reached." });
      expect(
        await failureOf(client.run([["EVAL", "return 1", 0]], { ...REPEATABLE, bills: 4 })),
      ).toMatchObject({ exit: "inconclusive" });
      expect(
        await failureOf(
          client.run(
            [
              ["GET", ALL_BYTES],
              ["GET", "a"],
              ["GET", ALL_BYTES],
            ],
            REPEATABLE,
          ),
        ),
      ).toMatchObject({ exit: "inconclusive" });
      expect(client.spent.requests).toBe(requests);
      await client.run([["GET", "a"], ["INFO"], ["GET", "b"], ["GET", "c"]], REPEATABLE);
      expect(await client.run([["DEL", "lease"]], { ...ONCE, unlimited: true })).toEqual([0]);
    });

    it("counts what is sent again, and what other calls are about to send", async () => {
      const client = kv.open();
      client.limit(3);
      kv.fail({ times: 1, reset: "lost-reply" });
      await client.run([["GET", "a"]], REPEATABLE);
      expect(client.spent.commands).toBe(2);
      const results = await Promise.allSettled([1, 2].map(() => client.run([["GET", "a"]], REPEATABLE)));
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      client.limit(4);
      kv.fail({ reset: "lost-reply" });
      expect(await failureOf(client.run([["GET", "a"]], REPEATABLE))).toMatchObject({ exit: "inconclusive" });
      expect(client.spent.commands).toBe(4);
    });
  });

  it("sends no more commands a second than it is told to", async () => {
    let time = 0;
    const clock = {
      now: () => time,
      wait: async (milliseconds: number) => {
        time += milliseconds;
      },
    };
    const client = kv.open({ clock });
    const commands = Array.from({ length: 100 }, (): KvCommand => ["GET", "a"]);
    await client.run(commands, REPEATABLE);
    expect(time).toBe(0);
    client.pace(20);
    const { requests } = client.spent;
    await client.run(commands, REPEATABLE);
    expect(time).toBe(5_000);
    expect(client.spent.requests - requests).toBe(10);
    client.pace(undefined);
    await client.run(commands, REPEATABLE);
    expect(time).toBe(5_000);
  });

  it("sends the token in a header alone, and nothing of the vendor's telemetry", async () => {
    await kv.open().run([["GET", "a"]], REPEATABLE);
    const request = kv.upstash.requests.at(-1);
    expect(request).toMatchObject({ method: "POST", path: "/pipeline", role: "standard" });
    expect(Object.keys(request?.headers ?? {}).filter((name) => /telemetry/i.test(name))).toEqual([]);
  });
});
