import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { fillSkinvault, fillSkinvaultBackup, type RunRedis } from "../../shops/skinvault.ts";
import { type CliResult, collectionRecord, records, summary } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { kvPair } from "../../support/stores/kv-pair.ts";

/** A KV store that is compared with its copy in MongoDB. */
const pair = kvPair();

const redis: RunRedis = (...command) => pair.redis(...command);
const copy = () => pair.to.db(pair.database);
const collection = (name: string) => copy().collection<Document>(name);
/** Looks quickly. */
const DIFF = ["diff", "--json", "--settle", "0.1"];
const BACK = ["--from", "mongodb", "--to", "kv"];

async function expectCode(code: number, result: Promise<CliResult>): Promise<CliResult> {
  const done = await result;
  expect(done.code, done.stdout + done.stderr).toBe(code);
  return done;
}

/** "changed notice", sorted. */
function differences({ stdout }: CliResult): string[] {
  return records(stdout)
    .filter(({ type }) => type === "diff")
    .map(({ kind, id, key }) => `${kind} ${id ?? key}`)
    .sort();
}

function notesOf({ stdout }: CliResult): string {
  const { notes } = records(stdout).find(({ type }) => type === "start") as { notes: readonly string[] };
  return notes.join("\n");
}

/** Commands that are billed for it. */
async function billed(run: () => Promise<unknown>): Promise<number> {
  const before = pair.upstash.billed;
  await run();
  return pair.upstash.billed - before;
}

describe.each(["records", "collections"])("a KV store and its copy in the layout %s", (layout) => {
  async function synced(): Promise<string> {
    await fillSkinvault(redis);
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv", "--layout", layout], cwd));
    return cwd;
  }

  it("are identical after they were synchronized, whichever is compared with the other one", async () => {
    const cwd = await synced();
    for (const flags of [[], BACK]) {
      const { stdout } = await expectCode(0, pair.run([...DIFF, ...flags], cwd));
      expect(summary(stdout)).toMatchObject({
        verdict: expect.stringMatching(
          /^Identical\. Compared: 8 documents in 1 collection, by what the keys/,
        ),
      });
    }
  });

  it("differ by what keys hold and when they expire, and by nothing else", async () => {
    const cwd = await synced();
    await redis("SET", "notice", "Back at 9");
    await redis("SET", "fresh", "1");
    await redis("DEL", "featured");
    await redis("PEXPIREAT", "banner", Date.UTC(2098, 0, 1));
    await redis("ZADD", "ranking", 12.75, "u1");
    // The same in other words.
    await redis("SET", "settings", JSON.stringify(JSON.parse(await textOf("settings")), null, 2));
    const found = await expectCode(1, pair.run(DIFF, cwd));
    expect(differences(found)).toEqual([
      ...["changed banner", "changed notice", "changed ranking", "extra featured", "missing fresh"],
    ]);
    expect(summary(found.stdout)).toMatchObject({
      verdict: expect.stringContaining("Next: dualsync sync-kv brings both sides together"),
    });
    const fields = records(found.stdout)
      .filter(({ type, id }) => type === "diff" && id !== "featured" && id !== "fresh")
      .map(({ id, fields }) => [id, (fields as { path: string }[]).map(({ path }) => path)]);
    expect(Object.fromEntries(fields)).toEqual({
      banner: ["/expiresAt"],
      notice: ["/value"],
      ranking: ["/value/1/s"],
    });
    expect(collectionRecord(found.stdout, "kv_records")).toMatchObject({ equal: 4, equivalent: 1 });
    const back = await expectCode(1, pair.run([...DIFF, ...BACK], cwd));
    expect(differences(back)).toEqual([
      ...["changed banner", "changed notice", "changed ranking", "extra fresh", "missing featured"],
    ]);
  });

  it("hold what has expired in KV as expired, and no difference", async () => {
    const cwd = await synced();
    await redis("DEL", "banner");
    const place = layout === "records" ? collection("kv_records") : collection("banner");
    await place.updateOne({ _id: "banner" as never }, { $set: { expiresAt: new Date(Date.now() - 10_000) } });
    for (const flags of [[], BACK]) {
      const found = await expectCode(0, pair.run([...DIFF, ...flags], cwd));
      expect(collectionRecord(found.stdout, "kv_records")).toMatchObject({ expired: 1, equal: 7 });
      expect(summary(found.stdout)).toMatchObject({
        verdict: expect.stringContaining("except for 1 document that is due to expire"),
      });
    }
  });

  it("never show what dualsync keeps in either of them", async () => {
    const cwd = await synced();
    await redis("SET", "_dualsync:lease", "{}");
    await redis("SET", "_dualsync:anything", "1");
    const found = await expectCode(0, pair.run(DIFF, cwd));
    expect(found.stdout).not.toContain("_dualsync");
  });
});

async function textOf(key: string): Promise<string> {
  return Buffer.from((await redis("GET", key)) as Uint8Array).toString();
}

describe("a comparison of a KV store with a copy", () => {
  it("reads the store once, and pages of names at most besides", async () => {
    const keys = 2_500;
    const values = Array.from({ length: keys }, (_, at) => [`key:${at}`, `value ${at}`]).flat();
    await redis("MSET", ...values);
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    await redis("SET", "key:7", "another");
    // The mark of a restore, the number of keys (two), pages of names, and texts, 500 at a time.
    const once = 1 + 2 + Math.ceil(keys / 1_000) + Math.ceil(keys / 500);
    const rechecks = 3;
    expect(await billed(() => expectCode(1, pair.run(DIFF, cwd)))).toBeLessThanOrEqual(once + rechecks);
    const back = await billed(() => expectCode(1, pair.run([...DIFF, ...BACK], cwd)));
    // Keys that are looked up may be absent: of each part that is asked first, and the copy's batches do not fill the last ones.
    const parts = Math.ceil(keys / 500);
    expect(back).toBeLessThanOrEqual(once + rechecks + parts + 3);
  });

  it("takes no part in what else the database holds, and names it", async () => {
    await fillSkinvault(redis);
    await fillSkinvaultBackup(pair.to, pair.database);
    await collection("orders").insertMany([{ n: 1 }, { n: 2 }]);
    await copy().createCollection("open", { viewOn: "orders", pipeline: [] });
    const cwd = newFolder();
    const found = await expectCode(1, pair.run(DIFF, cwd));
    expect(differences(found)).toEqual(["missing banner", "missing ranking"]);
    const notes = notesOf(found);
    expect(notes).toContain("Layout of the copy: collections; dualsync did not begin this copy.");
    expect(notes).toMatch(/Not part of the copy: .*orders \(holds several documents\)/);
  });

  it("shows what of a key is not read, and is then not complete", async () => {
    await redis("XADD", "log", "5-1", "at", "door");
    await redis("SET", "notice", "1");
    const cwd = newFolder();
    await expectCode(0, pair.run(["sync-kv"], cwd));
    await redis("XGROUP", "CREATE", "log", "readers", "$");
    const found = await expectCode(12, pair.run(DIFF, cwd));
    expect(differences(found)).toEqual(["unreadable groups kv_records/log"]);
    await expectCode(0, pair.run([...DIFF, "--accept", "groups kv_records/log"], cwd));
  });

  it("is refused where there is no copy, where there are several, and where no copy can be", async () => {
    await fillSkinvault(redis);
    const none = await expectCode(6, pair.run(["diff"]));
    expect(none.stderr).toContain("holds no copy of a KV store");
    expect(none.stderr).toContain("dualsync sync-kv begins a copy");
    await fillSkinvaultBackup(pair.to, pair.database);
    await collection("kv_records").insertOne({ _id: "a" as never, type: "string", value: "1" });
    const several = await expectCode(6, pair.run(["diff"]));
    expect(several.stderr).toContain("copies in several layouts");
    // Once it was said which one counts, that is remembered.
    const flags = ["--layout", "collections", "--into-existing", pair.database];
    await expectCode(3, pair.run(["sync-kv", ...flags]));
    expect(differences(await expectCode(1, pair.run(DIFF)))).toEqual(["extra a"]);
    const before = pair.upstash.requests.length;
    const env = {
      NEXT_PUBLIC_SUPABASE_URL: "https://abcdefghijklmnopqrst.supabase.co",
      SUPABASE_SERVICE_ROLE_KEY: "sb_secret_0123456789",
    };
    const project = await expectCode(
      2,
      pair.run(["diff", "--from", "kv", "--to", "supabase"], undefined, { env }),
    );
    expect(project.stderr).toContain("The copy of a KV store is in a MongoDB database");
    expect(pair.upstash.requests).toHaveLength(before);
  });

  it("writes no plan for repair, and repair takes none: sync-kv does that", async () => {
    const files = { "repair.plan": "" };
    for (const args of [
      ["diff", "--plan", "repair.plan"],
      ["diff", "--plan", "repair.plan", ...BACK],
      ["repair", "repair.plan"],
      ["repair", "repair.plan", ...BACK],
    ]) {
      const { stderr } = await expectCode(2, pair.run(args, undefined, { files }));
      expect(stderr).toContain("dualsync sync-kv brings both sides together");
    }
  });
});
