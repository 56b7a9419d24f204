import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openKvClient } from "../../../../src/connectors/kv/api/client.ts";
import type { EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { contentDigest } from "../../../../src/connectors/kv/scripts/content-digest.ts";
import { DIGEST_LUA } from "../../../../src/connectors/kv/scripts/digest-lua.ts";
import { Scripts, scriptOf } from "../../../../src/connectors/kv/scripts/scripts.ts";
import { partsOf } from "../../../../src/connectors/kv/writing/content-parts.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { never } from "../../../support/signal.ts";
import { kvFixture } from "../../../support/stores/kv-store.ts";
import { anyContent } from "../entry/entry-arbitraries.ts";

const COMMANDS = { string: "SET", list: "RPUSH", set: "SADD", hash: "HSET", zset: "ZADD" } as const;
const RUNS = process.env.DUALSYNC_TEST_LONG === undefined ? 60 : 2_000;

describe.runIf(await canRunRedis())("the digest of a key", () => {
  const kv = kvFixture();

  async function put(content: EntryValue): Promise<boolean> {
    await kv.redis("DEL", "key");
    if (content.type === "json") return false;
    if (content.type !== "stream") await kv.redis(COMMANDS[content.type], "key", ...partsOf(content));
    else {
      const { entries, lastId } = content.value;
      for (const { id, fields } of entries) await kv.redis("XADD", "key", id, ...fields.flat());
      if (entries.length > 0) await kv.redis("XSETID", "key", lastId);
      return entries.length > 0;
    }
    return true;
  }

  it("is the same here and in the script of the server, for every content", async () => {
    const script = scriptOf(`${DIGEST_LUA}return digest(ARGV[1], KEYS[1]) or ''`);
    const redis = async (kind: string): Promise<string> =>
      String(await kv.redis("EVAL", script.source, 1, "key", kind));
    await fc.assert(
      fc.asyncProperty(anyContent, async (content) => {
        if (!(await put(content))) return;
        expect(await redis(content.type)).toBe(contentDigest(content));
        expect(await redis(content.type === "list" ? "set" : "list")).toBe("");
      }),
      { numRuns: RUNS, seed: 15 },
    );
  });

  it("is the same for scores of every size, and another for neighbours", async () => {
    const script = `${DIGEST_LUA}return digest('zset', 'key')`;
    const scores = [0, 1, -1, 0.1, 1e300, 5e-324, 2 ** -1022, 2 ** 53, 1 / 3, Math.PI, -1e-310, 1e-320];
    for (const score of scores) {
      const next = score === 0 ? 5e-324 : score * (1 + Number.EPSILON);
      for (const one of [score, next]) {
        const content: EntryValue = { type: "zset", value: [[Uint8Array.of(1), one]] };
        await put(content);
        expect(String(await kv.redis("EVAL", script, 0))).toBe(contentDigest(content));
      }
    }
  });

  it("is asked with the whole script once, by its hash from then on, and again where the server forgot it", async () => {
    const { url, token } = kv.upstash;
    const client = openKvClient({ url, token, label: "kv.test", role: "source" });
    const scripts = new Scripts(client);
    const script = scriptOf("return ARGV[1]");
    const ask = async (...args: (string | Uint8Array)[]): Promise<unknown> => {
      const options = { signal: never, doing: "test", repeatable: true };
      return (
        await scripts.run(
          script,
          args.map((arg) => ({ keys: [], args: [arg] })),
          options,
        )
      ).map(String);
    };
    const from = kv.upstash.requests.length;
    expect(await ask("a", "b")).toEqual(["a", "b"]);
    expect(await ask("c", Uint8Array.of(200))).toEqual(["c", "\uFFFD"]);
    await kv.redis("SCRIPT", "FLUSH");
    expect(await ask("d", "e")).toEqual(["d", "e"]);
    const names = kv.upstash.requests
      .slice(from)
      .map(({ commands }) => commands.filter((name) => name !== "PING"));
    expect(names).toEqual([
      ["EVAL", "EVALSHA"],
      ["EVALSHA", "EVAL"],
      ["EVALSHA", "EVALSHA"],
      ["EVAL", "EVALSHA"],
    ]);
  });

  it("is computed by EVAL where there is no command for scripts that only read", async () => {
    const { url, token, settings } = kv.upstash;
    settings.lacks = ["EVAL_RO", "EVALSHA_RO"];
    const scripts = new Scripts(openKvClient({ url, token, label: "kv.test", role: "source" }));
    const calls = ["a", "b"].map((arg) => ({ keys: [], args: [arg] }));
    const options = { signal: never, doing: "test", repeatable: true };
    const replies = await scripts.run(scriptOf("return ARGV[1]", true), calls, options);
    expect(replies.map(String)).toEqual(["a", "b"]);
  });
});
