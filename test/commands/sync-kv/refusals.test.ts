/** What a synchronization refuses: each sentence is one that docs/safety.md explains, and nothing was written. */
import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { fillSkinvault, fillSkinvaultBackup } from "../../shops/skinvault.ts";
import type { CliResult } from "../../support/cli.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

describe.runIf(await canRunRedis())("a synchronization of KV refuses", () => {
  const pair = kvPair();

  function records() {
    return pair.to.db(pair.database).collection<Document & { _id: string }>("kv_records");
  }

  /** A store of eight keys, and its copy. */
  async function inStep(): Promise<void> {
    await fillSkinvault(pair.redis);
    expect((await pair.run(["sync-kv"])).code).toBe(0);
  }

  async function expectRefused(says: RegExp, ...flags: string[]): Promise<CliResult> {
    const before = [await snapshot(pair.to, pair.database), await pair.redis("DBSIZE")];
    const result = await pair.run(["sync-kv", ...flags]);
    expect(result.stderr).toMatch(says);
    expect(result.code).toBe(6);
    expectExplained(result.stderr, result.code);
    expect([await snapshot(pair.to, pair.database), await pair.redis("DBSIZE")]).toEqual(before);
    return result;
  }

  it("a database that is another application's", async () => {
    await fillSkinvault(pair.redis);
    await pair.to
      .db(pair.database)
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await expectRefused(/holds collections that are no copy of a KV store/);
  });

  it("a copy that an application made, until its name is given", async () => {
    await fillSkinvault(pair.redis);
    await fillSkinvaultBackup(pair.to, pair.database);
    const { stderr } = await expectRefused(/holds what looks like a copy of 6 keys \(layout collections\)/);
    expect(stderr).toContain(`--into-existing ${pair.database}`);
    await expectRefused(/needs a confirmation/, "--into-existing", pair.database, "--direction", "both");
  });

  it("a copy that was made of another KV store", async () => {
    await inStep();
    const { database, to } = pair;
    await to
      .db(database)
      .collection<Document & { _id: number }>("_dualsync_agreements")
      .updateOne({ _id: 0 }, { $set: { from: "other.upstash.io" } });
    await expectRefused(/holds the copy of another KV store, other\.upstash\.io/);
  });

  it("copies in two layouts, and another layout than the copy has", async () => {
    await fillSkinvaultBackup(pair.to, pair.database);
    await records().insertMany(["a", "b"].map((_id) => ({ _id, value: "Back at 8" })));
    await expectRefused(/holds copies in several layouts: records \(2 keys\) and collections \(6 keys\)/);
    await pair.to.db(pair.database).dropDatabase();
    await inStep();
    await expectRefused(/has the layout records, not collections/, "--layout", "collections");
  });

  it("a view in the place of its records", async () => {
    await pair.to.db(pair.database).createCollection("kv_records", { viewOn: "orders" });
    await expectRefused(/kv_records in .+ is a view/, "--into-existing", pair.database);
  });

  it("to remove anything without a confirmation, and to begin with too few commands", async () => {
    await inStep();
    await expectRefused(/confirmation needed, but there is no terminal/, "--delete");
    await expectRefused(/--max-commands 3 cannot suffice/, "--max-commands", "3");
  });

  it("a KV store that has lost most of its keys, and marks none of them", async () => {
    await inStep();
    await pair.redis("DEL", "pro_users", "listings", "settings", "featured", "visits");
    const { stderr } = await expectRefused(/5 of 8 keys .+ are gone from KV .+: more than half/);
    expect(stderr).toContain("dualsync restore gives it back");
  });

  it("a copy that has lost most of its keys, until --allow-shrink has it written again", async () => {
    await inStep();
    await records().deleteMany({});
    const flags = ["--direction", "to-kv", "--delete", "--yes"];
    const { stderr } = await expectRefused(
      /8 of 8 keys .+ are gone from MongoDB .+: more than half/,
      ...flags,
    );
    expect(stderr).toContain("a run from KV to MongoDB with --allow-shrink, and without --delete, writes it");
    expect((await pair.run(["sync-kv", "--allow-shrink"])).code).toBe(0);
    expect(await records().countDocuments()).toBe(8);
  });
});
