import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { keyLayouts } from "../../../../src/connectors/kv/layouts/layouts.ts";
import type { JournalEntry } from "../../../../src/core/change/journal.ts";
import { Losses } from "../../../../src/core/progress/losses.ts";
import type { Direction } from "../../../../src/core/sync/decide.ts";
import { SyncTally } from "../../../../src/core/sync/sync-tally.ts";
import { synchronize } from "../../../../src/core/sync/synchronize.ts";
import type { Doc } from "../../../../src/model/document.ts";
import { SeenIds } from "../../../../src/model/seen-ids.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { hexOf } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { kvFixture } from "../../../support/stores/kv-store.ts";
import { anyEntry } from "../entry/entry-arbitraries.ts";
import { all, type Copies, type Copy, record, startCopies } from "./copies.ts";

const LONG = process.env.DUALSYNC_TEST_LONG === "1";
const WORDS = { primary: "KV", copy: "MongoDB", document: "key" };

describe.skipIf(!(await canRunRedis())).each(keyLayouts.names)(
  "a KV store and its copy in the layout %s",
  (layout) => {
    const kv = kvFixture();
    let copies: Copies;
    beforeAll(async () => {
      copies = await startCopies();
      return () => copies.stop();
    });

    async function sync(copy: Copy, direction: Direction) {
      const primary = await kv.open();
      const session = await sessionOf(primary);
      const losses = new Losses([]);
      const tally = new SyncTally(losses, WORDS, direction, () => undefined);
      const saved: JournalEntry[] = [];
      const journal = {
        save: async (_: unknown, entries: Iterable<JournalEntry>) => void saved.push(...entries),
      };
      const only = async (store: typeof primary | typeof copy.store): Promise<CollectionInfo> =>
        (await store.list(never)).collections[0] as CollectionInfo;
      await synchronize(
        {
          collection: keyLayouts.collection,
          primary,
          copy: copy.store,
          primarySide: direction === "to copy" ? undefined : { session, journal },
          copySide: direction === "to primary" ? undefined : { session: copy.session, journal },
          agreements: copy.session.agreements,
          rules: { direction, onConflict: "park", deletes: false, restoresMarked: false },
          tally,
          words: WORDS,
          now: () => Date.now(),
          allowShrink: true,
          isAdopting: false,
          settled: new SeenIds(),
          earlier: new SeenIds(),
          isLimited: false,
          atOnce: () => Number.POSITIVE_INFINITY,
          signal: never,
          advance: () => undefined,
        },
        await only(primary),
        await only(copy.store),
      );
      const shown: Doc[] = await all({ store: primary as never });
      await session.release();
      await primary.close();
      return { counts: tally.counts, items: losses.items, saved, shown };
    }

    it("is written there and back without a change, whatever its keys hold", async () => {
      // The server at hand has no JSON type.
      const some = anyEntry.filter(({ content }) => content.type !== "json");
      const entries = fc.sample(some, { seed: 15, numRuns: LONG ? 500 : 40 });
      const documents = new Map(
        entries.map(({ key, content }) => {
          const doc = record(key, content);
          return [doc.id.key, doc];
        }),
      );
      const copy = await copies.begin(layout);
      const primary = await kv.open();
      const session = await sessionOf(primary);
      const writes = [...documents.values()].map((wanted) => ({
        id: wanted.id,
        expected: undefined,
        wanted,
      }));
      const prepared = await session.guarded.prepare("kv_records", writes, never);
      await session.guarded.apply("kv_records", prepared as never, never);
      await session.release();
      await primary.close();

      const first = await sync(copy, "to copy");
      expect(first.items).toEqual([]);
      expect(first.counts).toMatchObject({ copyWritten: documents.size });
      expect(hexOf(await all(copy))).toEqual(hexOf(first.shown));
      const second = await sync(copy, "both");
      expect(second).toMatchObject({ items: [], saved: [], counts: { equal: documents.size } });

      await kv.upstash.redis.flush();
      const back = await sync(copy, "to primary");
      expect(back.items).toEqual([]);
      expect(back.counts).toMatchObject({ primaryWritten: documents.size });
      expect(hexOf(back.shown)).toEqual(hexOf(first.shown));
    });

    it("has a key that gets another type in both, and what leaves its place in the copy is saved", async () => {
      const copy = await copies.begin(layout);
      await kv.redis("SET", "k", "text");
      await sync(copy, "to copy");
      await kv.redis("DEL", "k");
      await kv.redis("HSET", "k", "f", "v");
      const { items, counts, saved, shown } = await sync(copy, "to copy");
      expect({ items, counts }).toMatchObject({ items: [], counts: { copyWritten: 1 } });
      expect(hexOf(await all(copy))).toEqual(hexOf(shown));
      const moves = [
        { before: undefined, after: { bytes: expect.any(Number) } },
        { before: expect.anything(), after: undefined },
      ];
      // A record takes the place of what is known to be the store's own.
      expect(saved.map(({ before, after }) => ({ before, after }))).toMatchObject(
        layout === "collections" ? moves : [],
      );
      expect((await sync(copy, "both")).counts).toMatchObject({
        equal: 1,
        copyWritten: 0,
        primaryWritten: 0,
      });
    });
  },
);
