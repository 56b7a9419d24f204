/** What a run says of keys that it does not write yet, or leaves. */
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { fillSkinvault, fillSkinvaultBackup } from "../../shops/skinvault.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

describe.runIf(await canRunRedis())("a synchronization of KV says", () => {
  const pair = kvPair();

  it("which keys a first run would create in KV, by their names, before it asks", async () => {
    await fillSkinvaultBackup(pair.to, pair.database);
    await pair.redis("SET", "notice", "Back at 8");
    const args = ["sync-kv", "--direction", "to-kv", "--into-existing", pair.database];
    const { code, stdout, stderr } = await pair.run(args);
    expect(stdout).toMatch(
      /^Keys that KV lacks and would be given: (featured|listings|pro_users|settings|visits)(, \w+){4}\.$/m,
    );
    expect(stderr).toContain("The first run that writes to");
    expect(code).toBe(6);
  });

  it("what of a key no copy keeps, and each time it does", async () => {
    await pair.redis("XADD", "log", "1-1", "f", "v");
    await pair.redis("XGROUP", "CREATE", "log", "readers", "0");
    for (const args of [["sync-kv"], ["sync-kv"]]) {
      const { code, stdout } = await pair.run(args);
      expect(stdout).toContain(
        "  groups kv_records/log: the stream has consumer groups (1): they and their pending entries are not copied\n",
      );
      expect(code).toBe(3);
    }
    const accepted = await pair.run(["sync-kv", "--accept", "groups kv_records/log"]);
    expect(accepted.stdout).toContain("(accepted) groups kv_records/log");
    expect(accepted.code).toBe(0);
  });

  it("how keys that were marked as gone are removed, and how they come back", async () => {
    await fillSkinvault(pair.redis);
    await pair.run(["sync-kv"]);
    await pair.redis("DEL", "notice");
    const first = await pair.run(["sync-kv"]);
    expect(first.stdout).toContain(
      "1 key gone from KV stays in MongoDB (1 newly marked); --delete removes it.",
    );
    const second = await pair.run(["sync-kv"]);
    expect(second.stdout).toContain("1 key gone from KV stays in MongoDB; --delete removes it.");
    const back = await pair.run(["sync-kv", "--direction", "to-kv"]);
    expect(back.stdout).toContain(
      "1 key gone from KV stays in MongoDB; --missing all writes it to KV again.",
    );
  });
});
