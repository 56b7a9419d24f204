import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import type { CliResult } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";
import { runOf } from "../../support/undo-folder.ts";

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
    const other = await run("backfill", "--kv-env-prefix", "SHOP");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("unknown option")]);
    const none = await run("sync-kv", "--kv-env-prefix", "STORE");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("STORE_KV_REST_API_URL")]);
    const wrong = await run("sync-kv", "--check", "--kv-env-prefix", "9-");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--kv-env-prefix")]);
  });

  describe.each(["SHOP_KV_REST_API", "SHOP_REST_API"])("with the variables %s_URL and _TOKEN", (names) => {
    const ANOTHER = { KV_REST_API_URL: "http://127.0.0.1:1", KV_REST_API_TOKEN: "another" };
    const PREFIX = ["--kv-env-prefix", "SHOP"];
    const textOf = async (key: string) => String(await pair.redis("GET", key));

    /** Runs in a folder that remembers them, where the usual names are those of another store or not set. */
    function runs(usual: Readonly<Record<string, string>>) {
      const cwd = newFolder();
      const env = { ...usual, [`${names}_URL`]: pair.upstash.url, [`${names}_TOKEN`]: pair.upstash.token };
      return async (code: number, ...args: string[]): Promise<CliResult> => {
        const done = await pair.run([...args, "--json"], cwd, { env });
        expect(done.code, done.stdout + done.stderr).toBe(code);
        return done;
      };
    }

    it.each([
      { what: "another store", usual: ANOTHER },
      { what: "nothing", usual: { KV_REST_API_URL: "", KV_REST_API_TOKEN: "" } },
    ])(
      "undoes a restore and a synchronization that wrote to KV, where the usual names say $what",
      async ({ usual }) => {
        await pair.redis("SET", "notice", "Back at 8");
        await pair.redis("SET", "kept", "1");
        const run = runs(usual);
        await run(0, "sync-kv", ...PREFIX);
        await pair.redis("SET", "notice", "Back at 9");
        await pair.redis("DEL", "kept");
        const restore = ["restore", "--to", "kv", "--mode", "overwrite", "--apply", "--confirm", pair.kv];
        const restored = await run(0, ...restore, ...PREFIX);
        expect([await textOf("notice"), await textOf("kept")]).toEqual(["Back at 8", "1"]);
        const looked = await run(0, "undo", runOf(restored), ...PREFIX, "--dry-run");
        expect(looked.stdout).toContain("2 documents would be");
        // Without the prefix it is another store, or none, and nothing is written anywhere.
        const billed = pair.upstash.billed;
        await run(2, "undo", runOf(restored), "--yes");
        expect(pair.upstash.billed).toBe(billed);
        await run(0, "undo", runOf(restored), ...PREFIX, "--yes");
        expect([await textOf("notice"), await textOf("kept")]).toEqual(["Back at 9", "null"]);
        await run(0, "sync-kv", ...PREFIX, "--on-conflict", "kv");
        const kept = pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");
        await kept.updateOne({ _id: "notice" }, { $set: { value: "Back at 10" } });
        const synced = await run(0, "sync-kv", "--direction", "to-kv", ...PREFIX);
        expect(await textOf("notice")).toBe("Back at 10");
        await run(0, "undo", runOf(synced), ...PREFIX, "--yes");
        expect(await textOf("notice")).toBe("Back at 9");
      },
    );
  });
});
