import { beforeAll, describe, expect, it } from "vitest";
import { serverErrors } from "../../services/wire-proxy/faults/errors.ts";
import type { FaultRule, SetFault } from "../../services/wire-proxy/faults/faults.ts";
import { collectionOf, compare, findings, refuseHashes, TIERS } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const COUNT = 3_000;

/** 3,000 equal documents on both sides; in the second database the copy's number 1,234 is another. Nothing writes there. */
const EQUAL = "equal";
const DIFFERENT = "different";

async function fill(database: string, size = 1_000): Promise<void> {
  const text = "x".repeat(size);
  const documents = Array.from({ length: COUNT }, (_, n) => ({ _id: n, text }));
  for (const client of [pair.from, pair.to])
    await client.db(database).collection<{ _id: number; text: string }>("orders").insertMany(documents);
}

beforeAll(async () => {
  for (const database of [EQUAL, DIFFERENT]) await fill(database);
  await pair.to
    .db(DIFFERENT)
    .collection<{ _id: number }>("orders")
    .updateOne({ _id: 1_234 }, { $set: { text: "y" } });
});

const READ = [TIERS[0], TIERS[3]] as const;

describe.each(READ)("disturbed comparison when $name", ({ refusing }) => {
  it.each([
    ["a reply is cut", () => pair.sourceProxy.cutAfter(30_000, "to client")],
    ["a request is cut", () => pair.targetProxy.cutAfter(6_000, "to engine")],
    [
      "cursors are lost",
      () =>
        pair.sourceProxy.fail({
          on: ["getMore", "aggregate", "find"],
          every: 4,
          error: serverErrors.cursorNotFound,
          times: 4,
        }),
    ],
    [
      "replies are lost",
      () =>
        pair.targetProxy.fail({ on: ["find", "getMore", "aggregate"], every: 5, drop: "after", times: 4 }),
    ],
    [
      "connections are dropped before the reply",
      () =>
        pair.sourceProxy.fail({
          on: ["find", "aggregate", "listCollections", "listIndexes"],
          every: 3,
          drop: "before",
          times: 5,
        }),
    ],
    [
      "a server shuts down and comes back",
      () =>
        pair.targetProxy.fail({
          on: ["find", "getMore", "aggregate"],
          nth: 4,
          error: serverErrors.shutdown,
          times: 2,
        }),
    ],
    ["the connection is slow", () => pair.sourceProxy.throttle(3_000_000)],
  ])("finds the only difference although %s", async (_what, disturb) => {
    refuseHashes(pair, refusing);
    disturb();
    const compared = await compare(pair, [], { database: DIFFERENT });
    expect(findings(compared), compared.stdout).toEqual(["changed 1234"]);
    expect(compared.code).toBe(1);
    expect(collectionOf(compared, "orders")).toMatchObject({
      sourceDocuments: COUNT,
      targetDocuments: COUNT,
      equal: COUNT - 1,
    });
  });

  it.each([
    ["garbage", { garbage: Buffer.from("4f8a01770bd2e5c91a30ffee4f8a01770bd2e5c9", "hex") }],
    ["a permanent error", { error: serverErrors.interrupted }],
    ["a refusal", { error: serverErrors.noRight }],
    ["a batch that is not an array", { adds: { cursor: { id: 0n, ns: "x.y", firstBatch: "many" } } }],
    ["a reply without a cursor", { adds: { cursor: 1 } }],
  ])("calls stores neither identical nor different when reading returns %s", async (_what, fault) => {
    refuseHashes(pair, refusing);
    pair.targetProxy.fail({ on: ["find", "getMore"], collection: "orders", every: 1, ...fault });
    const compared = await compare(pair, [], { database: EQUAL });
    // What the server answers of this collection is the matter with it alone; nonsense is the matter with the server.
    expect([5, 8, 12], compared.stdout).toContain(compared.code);
    const [named] = compared.differences;
    expect(compared.error?.message ?? named?.detail).toMatch(/target/);
    if (compared.code !== 12) expect(compared.summary?.outcome).not.toBe("done");
    else expect(collectionOf(compared, "orders")).toMatchObject({ verdict: "not compared", complete: false });
  });
});

/** What a server says that has no more to give. */
function nothing(batch: "firstBatch" | "nextBatch") {
  return { adds: { cursor: { id: 0n, ns: "shop.orders", [batch]: [] } } };
}

function onBoth(rule: FaultRule): SetFault[] {
  return [pair.sourceProxy, pair.targetProxy].map((proxy) => proxy.fail({ collection: "orders", ...rule }));
}

describe("servers that both return less than they hold", () => {
  it.each([
    ["return no documents", "find", "firstBatch"],
    ["end each cursor after its first batch", "getMore", "nextBatch"],
  ] as const)("does not call collections compared when both servers %s", async (_what, on, batch) => {
    await fill(pair.database, 2_500); // more than a batch holds
    refuseHashes(pair, TIERS[3].refusing);
    const short = onBoth({ on, every: 1, ...nothing(batch) });
    const compared = await compare(pair);
    expect(short.map(({ happened }) => happened > 0)).toEqual([true, true]);
    expect(compared.code, compared.stdout).toBe(12);
    expect(collectionOf(compared, "orders")?.verdict).toBe("not compared");
    expect(compared.differences.map(({ kind, detail }) => `${kind}: ${detail}`)).toEqual(
      ["source", "target"].map((side) =>
        expect.stringMatching(`^unreadable: the ${side} returned \\d+ documents but counts 3000`),
      ),
    );
  });

  it("does not call collections identical when both servers hash nothing", async () => {
    const hashes = onBoth({ on: "aggregate", mentions: "$hash", every: 1, delayMs: 0 });
    expect((await compare(pair, [], { database: EQUAL })).code).toBe(0);
    const last = hashes[0]?.happened ?? 0;
    for (const rule of hashes) rule.cancel();
    onBoth({ on: "aggregate", mentions: "$hash", nth: last, ...nothing("firstBatch") });
    const compared = await compare(pair, [], { database: EQUAL });
    expect(compared.code, compared.stdout).toBe(12);
  });
});
