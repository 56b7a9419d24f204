import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../src/connectors/collection.ts";
import { type MongodbStore, mongodb } from "../../src/connectors/mongodb/mongodb.ts";
import type { Clock } from "../../src/connectors/wrappers/clock.ts";
import { type ReadRate, rateLimited, Throttle } from "../../src/connectors/wrappers/rate-limit.ts";
import type { MongodbService } from "../services/mongodb/mongodb.ts";
import { batchOf, collect, hexOf, id } from "../support/data/documents.ts";
import { makeEveryKind } from "../support/data/every-kind.ts";
import { never } from "../support/signal.ts";
import { sessionOf } from "../support/stores/claimed.ts";
import { sharedMongodb } from "../support/stores/shared-services.ts";
import { describeContract } from "./contract.ts";

/** A clock that stands still until it is moved, and remembers until when it was waited for. */
class StoppedClock implements Clock {
  time = 0;
  readonly until: number[] = [];

  now(): number {
    return this.time;
  }

  wait(milliseconds: number): Promise<void> {
    this.until.push(this.time + milliseconds);
    return Promise.resolve();
  }
}

const amounts = fc.array(fc.record({ documents: fc.nat(5_000), bytes: fc.nat(5_000_000) }), { minLength: 1 });
const rates = fc.record({
  documentsPerSecond: fc.integer({ min: 1, max: 100_000 }),
  bytesPerSecond: fc.integer({ min: 1, max: 100_000_000 }),
});

describe("throttle", () => {
  it("lets each read through exactly when the rate allows it", async () => {
    await fc.assert(
      fc.asyncProperty(amounts, rates, async (takes, rate) => {
        const clock = new StoppedClock();
        const throttle = new Throttle(rate, clock);
        let documents = 0;
        let bytes = 0;
        for (const take of takes) {
          documents += take.documents;
          bytes += take.bytes;
          const earned = Math.max(documents / rate.documentsPerSecond, bytes / rate.bytesPerSecond) * 1e3;
          const before = clock.until.length;
          await throttle.take(take.documents, take.bytes, never);
          if (earned > 0) expect(clock.until.at(-1)).toBeCloseTo(earned, 3);
          else expect(clock.until.length).toBe(before);
        }
      }),
    );
  });

  it("saves nothing up while nothing is read", async () => {
    const clock = new StoppedClock();
    const throttle = new Throttle({ documentsPerSecond: 100 }, clock);
    await throttle.take(100, 0, never);
    clock.time = 60_000;
    await throttle.take(100, 0, never);
    await throttle.take(50, 0, never);
    expect(clock.until).toEqual([1_000, 61_000, 61_500]);
  });

  it("asks for half a second's worth of documents, and for at least one", () => {
    const size = (rate: ReadRate, documentBytes: number): number =>
      new Throttle(rate).batchSize(documentBytes);
    expect(size({ documentsPerSecond: 500 }, 1e6)).toBe(250);
    expect(size({ bytesPerSecond: 1e6 }, 1_000)).toBe(500);
    expect(size({ documentsPerSecond: 10, bytesPerSecond: 1e9 }, 1_000)).toBe(5);
    expect(size({ bytesPerSecond: 10 }, 1_000)).toBe(1);
  });

  it("stops waiting when the signal aborts", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = new Throttle({ documentsPerSecond: 1 }).take(3_600, 0, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(new Throttle({}).take(1, 1, controller.signal)).rejects.toBe(reason);
  });
});

let server: MongodbService;
beforeAll(async () => {
  server = await sharedMongodb();
  return () => server.stop();
});

function open(): Promise<MongodbStore> {
  return mongodb({ uri: server.uri, database: "limited", role: "target", label: "test/limited" }, never);
}

describeContract("mongodb with a rate limit that is never reached", {
  open: async () => rateLimited(await open(), { documentsPerSecond: 1e9, bytesPerSecond: 1e12 }),
  makeEveryKind: (prefix) => makeEveryKind(server.uri, "limited", prefix),
});

describe("rate-limited stores", () => {
  it("a rate limit applies to all concurrent ranges of a store together", async () => {
    const documents = batchOf(...Array.from({ length: 900 }, (_, _id) => ({ _id, text: "x".repeat(60) })));
    const plain = await open();
    const session = await sessionOf(plain);
    const store = rateLimited(plain, { documentsPerSecond: 600 });
    const { length, bytes } = documents;
    const about = { documents: length, bytes: bytes.length };
    const info: CollectionInfo = {
      name: "even",
      kind: "collection",
      type: "collection",
      options: new Map(),
      ordered: true,
      ...about,
    };
    await session.write(info.name, documents, "insert", never);
    const begun = performance.now();
    const [low, high] = await Promise.all(
      [{ to: id(450) }, { from: id(450) }].map((range) =>
        collect(store.read(info, { range, signal: never })),
      ),
    );
    const seconds = (performance.now() - begun) / 1e3;
    expect([...(low ?? []), ...(high ?? [])]).toEqual(hexOf(documents.docs()));
    expect(seconds).toBeGreaterThan(1.45);
    expect(seconds).toBeLessThan(10);
    await store.close();
  });

  it("a rate-limited store reads batches of half a second's worth, or smaller ones on request", async () => {
    const small = await mongodb({ uri: server.uri, database: "small", role: "target", label: "test" }, never);
    const holder = { host: "test-host", pid: 1 };
    const session = await small.claim(
      { id: "r", command: "test", holder, from: "nowhere", isGone: () => false },
      never,
    );
    const store = rateLimited(small, { documentsPerSecond: 40 }, new StoppedClock());
    const about = { documents: 90, bytes: 90 * 14 };
    const named = { name: "rows", kind: "collection", type: "collection" } as const;
    const info = { ...named, options: new Map(), ordered: true, ...about } as const;
    await session.write(
      info.name,
      batchOf(...Array.from({ length: 90 }, (_, _id) => ({ _id }))),
      "insert",
      never,
    );
    for (const [batchSize, most] of [
      [undefined, 20],
      [50, 20],
      [7, 7],
    ] as const) {
      const lengths: number[] = [];
      const asked = batchSize === undefined ? {} : { batchSize };
      for await (const batch of store.read(info, { ...asked, signal: never })) lengths.push(batch.length);
      expect(Math.max(...lengths)).toBe(most);
    }
    await store.close();
  });

  it("a rate-limited store keeps its label and its other methods", async () => {
    const plain = await open();
    const store = rateLimited(plain, { documentsPerSecond: 1 });
    expect(store.label).toBe(plain.label);
    expect(await store.identity(never)).toEqual(await plain.identity(never));
    await store.close();
  });
});
