import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { failure, htmlFailure, texts, tooManyRequests } from "../../services/upstash/answers.ts";
import { records } from "../../support/cli.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/** A port on which nobody listens. */
const NOBODY = "http://127.0.0.1:1";
const NO_MONGODB = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300";

describe.runIf(await canRunRedis())("sync-kv --check", () => {
  const pair = kvPair();

  /** The one record, without what all records have and without the sentence. */
  async function checked(env: Record<string, string> = {}, ...flags: string[]) {
    const { code, stdout } = await pair.run(["sync-kv", "--check", "--json", ...flags], undefined, { env });
    const [record = {}, ...others] = records(stdout);
    expect(others).toEqual([]);
    const { v, type, ts, run, command, verdict, ...rest } = record;
    expect([v, type, command, typeof ts, typeof run]).toEqual([1, "check", "sync-kv", "string", "string"]);
    expect(rest.exitCode).toBe(code);
    expect(JSON.stringify(record)).not.toContain(pair.upstash.token);
    return { code, verdict: String(verdict), rest };
  }

  const served = { configured: true, available: true };
  const down = { configured: true, available: false };
  const unset = { configured: false, available: false };

  it("says in one record for two billed commands that both serve, and leaves nothing behind", async () => {
    const before = pair.upstash.billed;
    const { code, rest, verdict } = await checked();
    expect(pair.upstash.billed - before).toBe(2);
    expect(rest).toEqual({
      status: "kv",
      health: { kv: true, mongodb: true },
      ...{ kv: served, mongodb: served, exitCode: 0, outcome: "done" },
    });
    expect([code, verdict]).toEqual([0, "KV and MongoDB serve."]);
    expect(await pair.redis("KEYS", "*")).toEqual([]);
    expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
  });

  const faults = [
    ["refuses for too many requests", { answer: tooManyRequests(60) }],
    ["has used up its quota", { answer: failure(400, texts.monthlyQuota()) }],
    ["has used up its quota, which only its items say", { items: { error: texts.dailyQuota() } }],
    ["is not there", { answer: htmlFailure(503) }],
    ["answers with a page", { answer: htmlFailure(200) }],
    ["breaks every connection", { reset: "before" }],
    ["loses every answer", { reset: "lost-reply" }],
    ["is full", undefined],
  ] as const;
  it.each(faults)("exits with 4 when KV %s", async (_, fault) => {
    if (fault === undefined) pair.upstash.settings.full = true;
    else pair.fail(fault);
    const { code, rest } = await checked().finally(() => {
      pair.upstash.settings.full = false;
    });
    expect(rest).toMatchObject({ status: "mongodb", health: { kv: false, mongodb: true } });
    expect(rest).toMatchObject({ kv: down, mongodb: served, outcome: "source" });
    expect(code).toBe(4);
  });

  it("tries once more when a connection breaks, and not when KV asks to wait", async () => {
    const once = pair.fail({ reset: "before", times: 1 });
    expect((await checked()).code).toBe(0);
    expect(once.hits).toBe(1);
    const busy = pair.fail({ answer: tooManyRequests(1) });
    expect((await checked()).code).toBe(4);
    expect(busy.hits).toBe(1);
  });

  it("does not wait long for a store that does not answer", { timeout: 20_000 }, async () => {
    pair.fail({ stall: "before" });
    const started = performance.now();
    expect((await checked()).rest).toMatchObject({ status: "mongodb" });
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  it("exits with 5 when MongoDB does not serve, alone or too", async () => {
    const alone = await checked({ MONGODB_URI: NO_MONGODB });
    expect(alone.rest).toMatchObject({ status: "kv", kv: served, mongodb: down, outcome: "target" });
    expect(alone.verdict).toContain("KV serves, without a copy to fall back to.");
    const both = await checked({ MONGODB_URI: NO_MONGODB, KV_REST_API_URL: NOBODY });
    expect(both.rest).toMatchObject({ status: "fallback", health: { kv: false, mongodb: false } });
    expect([alone.code, both.code]).toEqual([5, 5]);
  });

  it("exits with 8 when a token is refused, or may not write", async () => {
    for (const KV_REST_API_TOKEN of ["another", pair.upstash.readOnlyToken]) {
      const { code, rest } = await checked({ KV_REST_API_TOKEN });
      expect(rest).toMatchObject({ status: "mongodb", kv: down, mongodb: served });
      expect(code).toBe(8);
    }
  });

  it("answers for the store that is configured where the other one is not", async () => {
    const noKv = await checked({ KV_REST_API_URL: "", KV_REST_API_TOKEN: "", REDIS_URL: "rediss://x:y@z" });
    expect(noKv.rest).toMatchObject({ status: "mongodb", kv: unset, mongodb: served });
    expect(noKv.verdict).toContain("KV is not configured: REDIS_URL in the environment is no address");
    const noMongodb = await checked({ MONGODB_URI: "" });
    expect(noMongodb.rest).toMatchObject({ status: "kv", kv: served, mongodb: unset });
    expect([noKv.code, noMongodb.code]).toEqual([4, 5]);
    const env = { MONGODB_URI: "", KV_REST_API_URL: "" };
    const neither = await pair.run(["sync-kv", "--check"], undefined, { env });
    expect(neither.code).toBe(2);
    expect(neither.stderr).toContain("MONGODB_URI");
  });

  it("takes the stores that arguments name, and no flag of a run", async () => {
    const env = { MONGODB_URI: NO_MONGODB, OTHER: pair.mongodb.uri };
    expect((await checked(env, "--from", "kv", "--to", "env:OTHER")).code).toBe(0);
    expect((await checked(env, "--from", "env:OTHER")).code).toBe(0);
    for (const flags of [["--delete"], ["--direction", "to-kv"], ["--dry-run"], ["--max-minutes", "3"]]) {
      const { code, stderr } = await pair.run(["sync-kv", "--check", ...flags]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`--check goes without ${flags[0]}`)]);
    }
  });

  it("says it in a few lines to people, and in one to cron", async () => {
    const { stdout } = await pair.run(["sync-kv", "--check"]);
    const lines = stdout.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));
    const mongodb = `${new URL(pair.mongodb.uri).host}/${pair.database}`;
    expect(lines).toEqual([
      `KV  ${pair.kv}  serves`,
      `MongoDB  ${mongodb}  serves`,
      ...["", "KV and MongoDB serve.", ""],
    ]);
    pair.fail({ answer: failure(400, texts.monthlyQuota()) });
    const quiet = await pair.run(["sync-kv", "--check", "--quiet"]);
    expect(quiet.stdout).toBe("");
    expect(quiet.stderr).toMatch(/^\S+ dualsync sync-kv: exit 4 \(source\): .*quota.*\n$/);
  });
});
