import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

describe.runIf(await canRunRedis())("--kv-env-prefix", () => {
  const pair = kvPair();

  /** The pair of another store has the usual names. */
  const run = (...args: string[]) =>
    pair.run(args, undefined, {
      env: {
        ...{ KV_REST_API_URL: "http://127.0.0.1:1", KV_REST_API_TOKEN: "another" },
        ...{ SHOP_KV_REST_API_URL: pair.upstash.url, SHOP_KV_REST_API_TOKEN: pair.upstash.token },
      },
    });

  it("names the variables of the KV store for every command that takes one", async () => {
    await pair.redis("SET", "pro_users", "[]");
    const synced = await run("sync-kv", "--kv-env-prefix", "SHOP");
    expect([synced.code, synced.stdout]).toEqual([0, expect.stringContaining(pair.kv)]);
    const compared = await run("diff", "--from", "kv", "--to", "mongodb", "--kv-env-prefix", "SHOP_");
    expect([compared.code, compared.stdout]).toEqual([0, expect.stringContaining("Identical")]);
    await pair.redis("DEL", "pro_users");
    const restored = await run(
      "restore",
      "--to",
      "kv",
      "--kv-env-prefix",
      "SHOP",
      "--apply",
      "--confirm",
      "x",
    );
    expect(restored.stderr).toContain(pair.kv);
  });

  it("is not of use to a command without a KV store, nor without the variables", async () => {
    const other = await run("duplicate", "--kv-env-prefix", "SHOP");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("unknown option")]);
    const none = await run("sync-kv", "--kv-env-prefix", "STORE");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("STORE_KV_REST_API_URL")]);
    const wrong = await run("sync-kv", "--check", "--kv-env-prefix", "9-");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--kv-env-prefix")]);
  });
});
