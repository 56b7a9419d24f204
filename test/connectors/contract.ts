import { Binary, Decimal128, Double, Long, MaxKey, MinKey, ObjectId } from "bson";
import { beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../src/connectors/collection.ts";
import type { Holder, With, WritableStore, WriteSession } from "../../src/connectors/contract.ts";
import { Batch } from "../../src/model/document.ts";
import { batchOf, collect, doc, hexOf, id } from "../support/data/documents.ts";
import { never } from "../support/signal.ts";
import { testRun } from "../support/stores/claimed.ts";

/** What not every store has: documents as they come, whatever stands in them, and what is done with them. */
export type Ability = "ids of every type" | "numbers of every type" | "filters" | "16 MB" | "checksums";

/** What the suite asks of every store that can be written to. */
export type ContractStore = WritableStore & With<"ranges" | "lookup" | "presence" | "history">;

export interface ContractOptions {
  /** Opens the store that the suite writes to; called several times. */
  readonly open: () => Promise<ContractStore>;
  /** For stores that do not create collections: makes one that can hold documents like this one. */
  readonly provide?: (collection: string, like: Readonly<Record<string, unknown>>) => Promise<void>;
  /** For stores that do not build indexes: makes the values of a field unique. */
  readonly makeUnique?: (collection: string, field: string) => Promise<void>;
  /** Makes one thing of every kind that the store has, past the program, all with names that begin with this. */
  readonly makeEveryKind: (prefix: string) => Promise<void>;
  /** Why the store has not what it has not: what tests that is skipped, under a name that says so. */
  readonly lacks?: Partial<Readonly<Record<Ability, string>>>;
}

/** What every connector must do, whatever its store. */
export function describeContract(name: string, options: ContractOptions): void {
  const { open, provide, makeUnique, makeEveryKind, lacks = {} } = options;
  const itNeeds = (ability: Ability, fact: string, test: () => Promise<void>): void => {
    const why = lacks[ability];
    if (why === undefined) it(fact, test);
    else it.skip(`${fact} (skipped: ${why})`, test);
  };
  describe(`connector contract of ${name}`, () => {
    let store: ContractStore;
    let session: WriteSession;
    beforeAll(async () => {
      store = await open();
      session = await store.claim(testRun("setup"), never);
      return async () => {
        await session.release();
        await store.close();
      };
    });

    const create = async (
      collection: string,
      ...documents: Record<string, unknown>[]
    ): Promise<CollectionInfo> => {
      return await createLike(collection, documents[0] ?? { _id: 1 }, ...documents);
    };

    /** For documents that are written later. */
    const createLike = async (
      collection: string,
      like: Record<string, unknown>,
      ...documents: Record<string, unknown>[]
    ): Promise<CollectionInfo> => {
      await provide?.(collection, like);
      const info: CollectionInfo = {
        name: collection,
        kind: "collection",
        type: "collection",
        options: new Map(),
        ordered: true,
        documents: 0,
        bytes: 0,
      };
      await session.prepare(info, never);
      await session.write(collection, batchOf(...documents), "insert", never);
      return { ...info, documents: documents.length, bytes: documents.length * 40 };
    };

    it("lists what was created, with its kind and size", async () => {
      await create("listed", { _id: 1 }, { _id: 2 });
      const { collections } = await store.list(never);
      expect(collections.find((info) => info.name === "listed")).toMatchObject({
        kind: "collection",
        ordered: true,
        documents: 2,
      });
    });

    it("lists nothing whose name begins like dualsync's own, whatever kind of thing it is", async () => {
      const named = async (prefix: string): Promise<readonly string[]> => {
        const { collections, notCopied } = await store.list(never);
        return [...collections, ...notCopied]
          .map(({ name }) => name)
          .filter((name) => name.startsWith(prefix));
      };
      await makeEveryKind("theirs");
      await makeEveryKind("_dualsync_later");
      expect((await named("theirs")).length).toBeGreaterThan(2);
      expect(await named("_dualsync")).toEqual([]);
    });

    it("reads nothing from an empty collection", async () => {
      const info = await create("empty");
      expect(await collect(store.read(info, { signal: never }))).toEqual([]);
      expect(await store.count("empty", {}, never)).toBe(0);
    });

    it("reads the same twice, in the order of ids, in batches no larger than requested", async () => {
      const info = await create("twice", ...Array.from({ length: 25 }, (_, n) => ({ _id: 24 - n, n })));
      const lengths: number[] = [];
      for await (const batch of store.read(info, { batchSize: 10, signal: never }))
        lengths.push(batch.length);
      const first = await collect(store.read(info, { signal: never }));
      expect(Math.max(...lengths)).toBeLessThanOrEqual(10);
      expect(first).toEqual(hexOf(Array.from({ length: 25 }, (_, n) => doc({ _id: n, n: 24 - n }))));
      expect(await collect(store.read(info, { signal: never }))).toEqual(first);
    });

    it("resumes a read after an id, whether or not its document still exists", async () => {
      const info = await create("after", { _id: 1 }, { _id: 3 }, { _id: 5 });
      const rest = hexOf([doc({ _id: 5 })]);
      expect(await collect(store.read(info, { after: id(3), signal: never }))).toEqual(rest);
      expect(await collect(store.read(info, { after: id(new Double(3)), signal: never }))).toEqual(rest);
      expect(await collect(store.read(info, { after: id(4), signal: never }))).toEqual(rest);
    });

    it("reads ranges that include their start but not their end", async () => {
      const info = await create("half", { _id: 1 }, { _id: 2 }, { _id: 3 }, { _id: 4 });
      const read = (range: object): Promise<string[]> => collect(store.read(info, { range, signal: never }));
      expect(await read({ from: id(2), to: id(4) })).toEqual(hexOf([doc({ _id: 2 }), doc({ _id: 3 })]));
      expect(await read({ to: id(2) })).toEqual(hexOf([doc({ _id: 1 })]));
      expect(await read({ from: id(4) })).toEqual(hexOf([doc({ _id: 4 })]));
      expect(await store.count("half", { range: { from: id(2) } }, never)).toBe(3);
    });

    itNeeds("ids of every type", "reads ids of every type in open ranges", async () => {
      const values = [
        new MinKey(),
        null,
        1,
        2,
        "a",
        { a: 1 },
        new Binary(Buffer.from("x")),
        new ObjectId(),
        true,
        new Date(0),
        new MaxKey(),
      ];
      const info = await create("half-open", ...values.map((value) => ({ _id: value })));
      const read = async (range: object): Promise<number> =>
        (await collect(store.read(info, { range, signal: never }))).length;
      expect(await read({ from: id(1), to: id(2) })).toBe(1);
      expect(await read({ to: id(1) })).toBe(2);
      expect(await read({ from: id(2) })).toBe(values.length - 3);
      expect(await store.count("half-open", { range: { from: id(2) } }, never)).toBe(values.length - 3);
    });

    it("finds documents by id, and leaves out missing ones", async () => {
      await create("some", { _id: 1, a: 1 }, { _id: 2, a: 2 });
      const asked = [id(1), id(new Double(2)), id(99), id("1"), id("x"), id(new ObjectId()), id(null)];
      const found = await store.lookup.find("some", asked, never);
      expect([...found.keys()].sort()).toEqual([id(1).key, id(2).key].sort());
      expect(hexOf([...found.values()]).sort()).toEqual(
        hexOf([doc({ _id: 1, a: 1 }), doc({ _id: 2, a: 2 })]).sort(),
      );
      expect(await store.lookup.find("some", [], never)).toEqual(new Map());
    });

    itNeeds("ids of every type", "finds documents by ids of different types", async () => {
      await create("find", { _id: 1, a: 1 }, { _id: "x" }, { _id: new Long(5) });
      const found = await store.lookup.find("find", [id(1), id("x"), id(5), id(99), id("1")], never);
      expect([...found.keys()].sort()).toEqual([id(1).key, id("x").key, id(5).key].sort());
      expect(hexOf([...found.values()]).sort()).toEqual(
        hexOf([doc({ _id: 1, a: 1 }), doc({ _id: "x" }), doc({ _id: new Long(5) })]).sort(),
      );
    });

    it("writes a batch again without harm, counts it as unchanged, and creates nothing in place of another document", async () => {
      const batch = batchOf({ _id: 1, a: 1 }, { _id: 2, a: 2 });
      const info = await createLike("again", { _id: 1, a: 1 });
      expect(await session.write("again", batch, "insert", never)).toEqual({
        written: 2,
        unchanged: 0,
        rejected: [],
      });
      expect(await session.write("again", batch, "insert", never)).toEqual({
        written: 0,
        unchanged: 2,
        rejected: [],
      });
      const { rejected } = await session.write("again", batchOf({ _id: 1, a: 3 }), "create", never);
      expect(rejected).toMatchObject([{ id: { key: id(1).key }, occupied: true }]);
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf(batch.docs()));
    });

    it("replaces a document that differs", async () => {
      const info = await create("change", { _id: 1, a: 1 }, { _id: 2, a: 2 });
      const wanted = batchOf({ _id: 1, a: 1 }, { _id: 2, a: 3 }, { _id: 3, a: 4 });
      expect(await session.write("change", wanted, "insert", never)).toEqual({
        written: 2,
        unchanged: 1,
        rejected: [],
      });
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf(wanted.docs()));
      const next = batchOf({ _id: 1, a: 7 }, { _id: 2, a: 3 }, { _id: 4, a: 8 });
      expect(await session.write("change", next, "replace", never)).toEqual({
        written: 3,
        unchanged: 0,
        rejected: [],
      });
      expect(await collect(store.read(info, { range: { to: id(3) }, signal: never }))).toEqual(
        hexOf([doc({ _id: 1, a: 7 }), doc({ _id: 2, a: 3 })]),
      );
      expect(await store.count("change", {}, never)).toBe(4);
    });

    it("accounts for duplicate ids in a batch: the last document stays, or the first one with create", async () => {
      const info = await createLike("duplicateIds", { _id: 1, a: 1 });
      const duplicateIds = batchOf({ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 1, a: 3 });
      const last = hexOf([doc({ _id: 1, a: 3 }), doc({ _id: 2, a: 2 })]);
      const inserted = await session.write("duplicateIds", duplicateIds, "insert", never);
      expect(inserted.written + inserted.unchanged).toBe(3);
      expect(await collect(store.read(info, { signal: never }))).toEqual(last);
      expect(await session.write("duplicateIds", duplicateIds, "replace", never)).toMatchObject({
        written: 3,
        rejected: [],
      });
      expect(await collect(store.read(info, { signal: never }))).toEqual(last);
      const more = batchOf({ _id: 5, a: 1 }, { _id: 5, a: 1 }, { _id: 5, a: 2 });
      const created = await session.write("duplicateIds", more, "create", never);
      expect(created).toMatchObject({ written: 1, unchanged: 1, rejected: [{ occupied: true }] });
      const range = { from: id(5) };
      expect(await collect(store.read(info, { range, signal: never }))).toEqual(
        hexOf([doc({ _id: 5, a: 1 })]),
      );
    });

    itNeeds("numbers of every type", "replaces a document that differs in the type of its id", async () => {
      const info = await create("replace", { _id: 1, a: 1 }, { _id: 2 });
      const wanted = batchOf({ _id: new Long(1), a: 1 }, { _id: 2, b: new Decimal128("1.0") });
      await session.write("replace", wanted, "insert", never);
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf(wanted.docs()));
      const next = batchOf({ _id: new Double(1) }, { _id: 2, b: new Decimal128("1.00") }, { _id: 3 });
      expect(await session.write("replace", next, "replace", never)).toEqual({
        written: 3,
        unchanged: 0,
        rejected: [],
      });
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf(next.docs()));
    });

    it("accounts for each document of a batch when some cannot be written", async () => {
      const info = await create("partial", { _id: 1, email: "a" });
      const unique = new Map<string, unknown>([
        ["v", 2],
        ["key", new Map([["email", 1]])],
        ["name", "email_1"],
        ["unique", true],
      ]);
      if (makeUnique === undefined) expect(await session.finish(info, [unique], never)).toEqual([]);
      else await makeUnique("partial", "email");
      const outcome = await session.write(
        "partial",
        batchOf({ _id: 2, email: "a" }, { _id: 3, email: "c" }),
        "insert",
        never,
      );
      expect(outcome).toMatchObject({ written: 1, unchanged: 0 });
      expect(outcome.rejected.map((entry) => entry.id.key)).toEqual([id(2).key]);
      expect(outcome.rejected[0]?.reason).toMatch(
        makeUnique === undefined ? /unique index on email/ : /unique/,
      );
    });

    it("removes documents by id, and returns how many there were", async () => {
      const info = await create("fewer", { _id: 1 }, { _id: 2 }, { _id: 3 });
      expect(await session.remove("fewer", [id(1), id(2), id(2), id(77), id("x")], never)).toBe(2);
      expect(await session.remove("fewer", [], never)).toBe(0);
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf([doc({ _id: 3 })]));
    });

    itNeeds("ids of every type", "removes a document whose id looks like an operator", async () => {
      const info = await create("remove", { _id: 1 }, { _id: "$ne" }, { _id: 3 });
      expect(await session.remove("remove", [id(1), id("$ne"), id(77)], never)).toBe(2);
      expect(await collect(store.read(info, { signal: never }))).toEqual(hexOf([doc({ _id: 3 })]));
    });

    itNeeds("filters", "applies a filter to reads and counts", async () => {
      const info = await create("filter", { _id: 1, s: "x" }, { _id: 2, s: "y" }, { _id: 3, s: "x" });
      const filter = new Map([["s", "x"]]);
      expect(await store.count("filter", { filter }, never)).toBe(2);
      expect(await collect(store.read(info, { filter, range: { from: id(2) }, signal: never }))).toEqual(
        hexOf([doc({ _id: 3, s: "x" })]),
      );
    });

    itNeeds("16 MB", "writes and reads documents of 16 MB and batches larger than a message", async () => {
      const info = await create("large");
      const large = doc({ _id: "large", text: "x".repeat(16_777_216 - 31) });
      expect(large.bytes.length).toBe(16_777_216);
      const batch = Batch.of([
        large,
        ...Array.from({ length: 3 }, (_, n) => doc({ _id: n, text: "y".repeat(15_000_000) })),
      ]);
      expect(await session.write("large", batch, "insert", never)).toMatchObject({ written: 4 });
      expect(await session.write("large", batch, "replace", never)).toMatchObject({ written: 4 });
      let bytes = 0;
      for await (const part of store.read(info, { signal: never })) bytes += part.bytes.length;
      expect(bytes).toBe(batch.bytes.length);
    });

    it("ends a read at once when the signal aborts", async () => {
      const info = await create("abort", ...Array.from({ length: 50 }, (_, n) => ({ _id: n })));
      const controller = new AbortController();
      const reason = new Error("enough");
      const reading = (async () => {
        for await (const _ of store.read(info, { batchSize: 5, signal: controller.signal }))
          controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
    });

    it("cuts ranges that cover every document exactly once", async () => {
      const info = await create("tiled", ...Array.from({ length: 500 }, (_, n) => ({ _id: n * 3 - 200 })));
      const ranges = await store.ranges.cut(info, 7, never);
      const pieces = await Promise.all(
        ranges.map((range) => collect(store.read(info, { range, signal: never }))),
      );
      expect(ranges.length).toBeGreaterThan(3);
      expect(pieces.flat()).toEqual(await collect(store.read(info, { signal: never })));
    });

    itNeeds("ids of every type", "cuts ranges that cover ids of different types exactly once", async () => {
      const info = await create(
        "tiles",
        ...Array.from({ length: 500 }, (_, n) => ({ _id: n % 2 === 0 ? n : `k${n}` })),
      );
      const ranges = await store.ranges.cut(info, 7, never);
      const pieces = await Promise.all(
        ranges.map((range) => collect(store.read(info, { range, signal: never }))),
      );
      expect(ranges.length).toBeGreaterThan(3);
      expect(pieces.flat()).toEqual(await collect(store.read(info, { signal: never })));
    });

    it("lets one run write at a time, and the next one after the lease was released", async () => {
      const other = await open();
      try {
        await expect(other.claim(testRun("second"), never)).rejects.toMatchObject({
          exit: "locked",
          message: expect.stringMatching(/test-host/),
        });
        await session.release();
        const next = await other.claim(testRun("third"), never);
        await next.release();
        session = await store.claim(testRun("setup again"), never);
      } finally {
        await other.close();
      }
    });

    it("takes over the lease of a holder that is certainly gone", async () => {
      const other = await open();
      try {
        const gone: Holder[] = [];
        const isGone = (holder: Holder): boolean => gone.push(holder) > 0;
        const next = await other.claim({ ...testRun("next"), isGone }, never);
        expect(gone).toEqual([{ host: "test-host", pid: 1 }]);
        // Whose lease was taken over must not write any more, however late it finds out.
        await expect(session.release()).resolves.toBeUndefined();
        expect(await other.history.seesNonce(next.nonce, never)).toBe(true);
        await next.release();
        session = await store.claim(testRun("setup again"), never);
      } finally {
        await other.close();
      }
    });

    it("remembers which run filled it, and where the content of each collection comes from", async () => {
      const info = await create("remembered");
      await session.prepare({ ...info, uid: "the source's" }, never);
      const lastRun = {
        command: "test",
        from: "nowhere",
        run: "r",
        token: "t",
        complete: true,
        verified: true,
        since: new Date(5),
        documents: new Map([["a.$b", 3]]),
      };
      await session.record(lastRun);
      const history = await store.history.read(never);
      expect(history.lastRun).toEqual(lastRun);
      const listed = (await store.list(never)).collections.find(({ name }) => name === info.name);
      expect(history.collections.get("remembered")).toEqual({
        uid: listed?.uid,
        fromEmpty: true,
        from: "nowhere",
        source: "the source's",
      });
    });

    itNeeds(
      "checksums",
      "keeps checksums until something is written to their collection, and no longer",
      async () => {
        const { checksums } = store;
        if (checksums === undefined || session.checksums === undefined) throw new Error("no checksums");
        const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i);
        await create("other", { _id: 1 });
        const info = await create("checksummed", { _id: 1 });
        const writes = [
          () => session.write("checksummed", batchOf({ _id: 2 }), "insert", never),
          () => session.write("checksummed", batchOf({ _id: 2, n: 1 }), "replace", never),
          () => session.remove("checksummed", [id(2)], never),
          () => session.remove("checksummed", [id(99)], never),
        ];
        expect(await checksums.read("checksummed", never)).toBeUndefined();
        for (const write of writes) {
          await session.checksums?.leave("checksummed", bytes, never);
          await session.prepare(info, never);
          await session.finish(info, [], never);
          await session.write("other", batchOf({ _id: 1 }), "insert", never);
          expect(Buffer.compare((await checksums.read("checksummed", never)) ?? Buffer.alloc(0), bytes)).toBe(
            0,
          );
          await Promise.all([write(), write()]);
          expect(await checksums.read("checksummed", never)).toBeUndefined();
        }
        await session.checksums?.leave("checksummed", bytes, never);
        await session.release();
        session = await store.claim(testRun("a later run"), never);
        expect(await checksums.read("checksummed", never)).toBeDefined();
        await session.write("checksummed", batchOf({ _id: 3 }), "insert", never);
        expect(await checksums.read("checksummed", never)).toBeUndefined();
      },
    );

    it("shows a nonce only to connections to the same store", async () => {
      expect(await store.history.seesNonce(session.nonce, never)).toBe(true);
      expect(await store.history.seesNonce("another", never)).toBe(false);
    });

    it("distinguishes a collection from a later one of the same name", async () => {
      const info = await create("vanishing", { _id: 1 });
      const { collections } = await store.list(never);
      const listed = collections.find(({ name }) => name === info.name);
      if (listed === undefined) throw new Error("not listed");
      expect(await store.presence.stillExists(listed, never)).toBe(true);
      expect(await store.presence.stillExists({ ...listed, uid: "another" }, never)).toBe(false);
      expect(await store.presence.stillExists({ ...listed, name: "never was" }, never)).toBe(false);
    });

    it("closes twice without an error", async () => {
      const other = await open();
      await other.close();
      await other.close();
    });
  });
}
