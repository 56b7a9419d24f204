import { expect, it } from "vitest";
import { withSession } from "../../../src/commands/run/session.ts";
import { type Stores, withStores } from "../../../src/commands/run/stores.ts";
import { parseLocation } from "../../../src/config/pairs/location.ts";
import type { WriteSession } from "../../../src/connectors/contract.ts";
import { Batch } from "../../../src/model/document.ts";
import { open } from "../../reporting/samples.ts";
import { environmentOf } from "../../support/configuration-failure.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { inMemory } from "../../support/memory/in-memory.ts";
import type { MemoryDatabase } from "../../support/memory/memory-connector.ts";
import { never } from "../../support/signal.ts";

const memory = inMemory();

interface Both {
  readonly stores: Stores;
  readonly source: WriteSession;
  readonly target: WriteSession;
  /** Ends with either lease. */
  readonly signal: AbortSignal;
}

let pairs = 0;

function pairOf(): {
  readonly live: MemoryDatabase;
  readonly copy: MemoryDatabase;
  readonly names: string[];
} {
  const names = [`live${++pairs}`, `copy${pairs}`];
  const [live, copy] = names.map((name) => memory.database(name, "all")) as [MemoryDatabase, MemoryDatabase];
  for (const database of [live, copy]) database.create("carts");
  return { live, copy, names };
}

/** Does the work while it holds the leases of both databases, as a command does that writes to both. */
async function holdingBoth(names: readonly string[], work: (both: Both) => Promise<void>): Promise<void> {
  const [from, to] = names.map(
    (name) => parseLocation(`memory:${name}`, "--from", environmentOf()).location,
  ) as [never, never];
  const { reporter } = open({ mode: "json", command: "test", runId: "r" });
  const context = { runId: "r", signal: never, reporter };
  const rate = { documentsPerSecond: 1_000_000 };
  await withStores({ from, to, rate }, never, async (stores) => {
    await withSession(stores.target, "test", stores.source.label, context, async (outer) => {
      const within = { ...context, signal: outer.signal };
      await withSession(stores.source, "test", stores.target.label, within, async (inner) => {
        await work({ stores, source: inner.session, target: outer.session, signal: inner.signal });
      });
    });
  });
}

it("a command may hold the leases of both stores, write to both, and gives both back", async () => {
  const { live, copy, names } = pairOf();
  await holdingBoth(names, async ({ source, target, signal }) => {
    expect([live.holder, copy.holder]).not.toContain(undefined);
    await source.write("carts", Batch.of([doc({ _id: 1, of: "live" })]), "insert", signal);
    await target.write("carts", Batch.of([doc({ _id: 2, of: "copy" })]), "insert", signal);
  });
  expect(hexOf(live.documents("carts"))).toEqual(hexOf([doc({ _id: 1, of: "live" })]));
  expect(hexOf(copy.documents("carts"))).toEqual(hexOf([doc({ _id: 2, of: "copy" })]));
  expect([live.holder, copy.holder]).toEqual([undefined, undefined]);
});

it("both leases are given back when the work fails, and the first when the second is held by another", async () => {
  const { live, copy, names } = pairOf();
  const failing = holdingBoth(names, async () => {
    throw new Error("in the middle");
  });
  await expect(failing).rejects.toThrow("in the middle");
  expect([live.holder, copy.holder]).toEqual([undefined, undefined]);
  const another = { id: "o", command: "test", holder: { host: "h", pid: 1 }, from: "f", isGone: () => false };
  live.holder = { nonce: "another", run: another };
  await expect(holdingBoth(names, async () => undefined)).rejects.toMatchObject({ exit: "locked" });
  expect([live.holder?.nonce, copy.holder]).toEqual(["another", undefined]);
});

it("the signal of the work ends when either lease is lost", async () => {
  for (const side of ["live", "copy"] as const) {
    const pair = pairOf();
    const gone = new Error("lost");
    await holdingBoth(pair.names, async ({ signal }) => {
      expect(signal.aborted).toBe(false);
      pair[side].lose(gone);
      expect(signal.reason).toBe(gone);
    });
  }
});
