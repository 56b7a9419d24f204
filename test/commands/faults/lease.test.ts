import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliResult, dualsync } from "../../support/cli.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** The lock of a target that another machine or a dead process holds. */
const pair = serverPair();

function own() {
  return pair.to.db(pair.database).collection<{ _id: string }>("_dualsync");
}

/** A run of another machine holds the target for so long, in milliseconds, and is never heard of again. */
async function heldElsewhere(milliseconds: number): Promise<void> {
  const holder = { nonce: "n", run: "r", command: "duplicate", host: "other-host", pid: 7, machine: "m" };
  const times = { since: "$$NOW", until: { $add: ["$$NOW", milliseconds] } };
  await own().updateOne({ _id: "lease" }, [{ $set: { ...holder, ...times } }], { upsert: true });
}

it("the lease of another machine is respected until it expires, and then taken over", async () => {
  await pair.from.db(pair.database).collection("orders").insertOne({ a: 1 });
  await heldElsewhere(4_000);
  const early = await pair.duplicate();
  expect([early.code, early.stderr]).toEqual([
    7,
    expect.stringMatching(/is locked by dualsync duplicate on other-host \(process 7\) since 20/),
  ]);
  expectExplained(early.stderr, 7);
  expect(await pair.to.db(pair.database).collection("orders").countDocuments()).toBe(0);
  let late: CliResult;
  do late = await pair.duplicate();
  while (late.code === 7);
  expect(late.code).toBe(0);
});

it("a lease with malformed fields is respected, too, and shown escaped", async () => {
  await pair.from.db(pair.database).collection("orders").insertOne({ a: 1 });
  await heldElsewhere(600_000);
  const nonsense = { host: "\u001b[31mx", pid: { a: [1] }, machine: 5, started: "\n", command: null };
  await own().updateOne({ _id: "lease" }, { $set: nonsense } as never);
  const { code, stderr } = await pair.duplicate();
  expect(code).toBe(7);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

it("a run that slept while another one took over starts no other write, and exits with 7", {
  timeout: 120_000,
}, async () => {
  const orders = pair.from.db(pair.database).collection<{ _id: number; text: string }>("orders");
  const text = "x".repeat(1_000);
  await orders.insertMany(Array.from({ length: 12_000 }, (_, _id) => ({ _id, text })));
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const copy = pair.to.db(pair.database).collection("orders");
  let held = Number.NaN;
  // Six seconds' worth, in batches of half a second's.
  const args = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY", "--rate", "2000"];
  const { code, stderr } = await dualsync(args, {
    env,
    async onStart(child) {
      while ((await copy.estimatedDocumentCount()) === 0) await wait(5);
      child.kill("SIGSTOP");
      await wait(1_000); // what it had sent arrives
      await heldElsewhere(600_000);
      held = await copy.countDocuments();
      await wait(31_000); // longer than a run believes in its lease without asking
      child.kill("SIGCONT");
    },
  });
  expectExplained(stderr, code);
  expect([code, stderr]).toEqual([7, expect.stringMatching(/lock of the target .* was lost/)]);
  // Messages that were half sent when it fell asleep still arrive, one batch for each range; no other is begun.
  expect((await copy.countDocuments()) - held).toBeLessThanOrEqual(4 * 1_000);
  expect(held).toBeLessThan(6_000);
});
