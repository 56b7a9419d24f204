import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRecord } from "../../../../src/connectors/kv/entry/encode-record.ts";
import type { Entry, EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { idOfKey } from "../../../../src/connectors/kv/entry/key-id.ts";
import type { WritableKv } from "../../../../src/connectors/kv/kv.ts";
import type { KvSession } from "../../../../src/connectors/kv/writing/session.ts";
import type { GuardedOutcome, GuardedWrite } from "../../../../src/connectors/powers/guarded-writes.ts";
import type { Doc } from "../../../../src/model/document.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { costOf, entryOf, kvFixture, readAll } from "../../../support/stores/kv-store.ts";
import { anyContent } from "../entry/entry-arbitraries.ts";

/** Keys that are written, replaced and removed in a row. */
const RUNS = process.env.DUALSYNC_TEST_LONG === undefined ? 25 : 500;

const COLLECTION = "kv_records";
const WRITTEN = { result: "written" };
const CONFLICT = { result: "conflict" };
/** By an application. */
const PRESENT = { result: "written", byOther: true };
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

function text(value: string): EntryValue {
  return { type: "string", value: bytes(value) };
}

function docOf(key: string | Uint8Array, content: EntryValue, expiresAt?: number): Doc {
  const name = typeof key === "string" ? bytes(key) : key;
  const doc = encodeRecord({ key: name, content, expiresAt });
  if ("problem" in doc) throw new Error(doc.problem);
  return doc;
}

describe.runIf(await canRunRedis())("guarded writes to a KV store", () => {
  const kv = kvFixture();

  async function opened(): Promise<{ store: WritableKv; session: KvSession }> {
    const store = await kv.open();
    return { store, session: await sessionOf(store) };
  }

  async function apply(session: KvSession, ...writes: GuardedWrite[]): Promise<readonly GuardedOutcome[]> {
    const prepared = await session.guarded.prepare(COLLECTION, writes, never);
    const due = prepared.map((one) => ("stored" in one ? one : undefined));
    const done = await session.guarded.apply(
      COLLECTION,
      due.filter((one) => one !== undefined),
      never,
    );
    let at = 0;
    return prepared.map((one) => ("stored" in one ? (done[at++] as GuardedOutcome) : one));
  }

  function create(wanted: Doc): GuardedWrite {
    return { id: wanted.id, expected: undefined, wanted };
  }

  function replace(expected: Doc, wanted: Doc | undefined): GuardedWrite {
    return { id: expected.id, expected, wanted };
  }

  async function there(store: WritableKv): Promise<readonly Entry[]> {
    return [...(await readAll(store)).values()].map(entryOf);
  }

  it("create, replace and remove keys of all types, with and without expiry, and read back as they were wanted", async () => {
    const { store, session } = await opened();
    const key = bytes("key");
    const end = Date.now() + 10_000_000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyContent, fc.constantFrom(undefined, end, end + 5_000)), {
          minLength: 2,
          maxLength: 3,
        }),
        async (versions) => {
          let expected: Doc | undefined;
          // This server has no JSON.
          for (const [content, expiresAt] of versions.filter(([{ type }]) => type !== "json")) {
            const wanted = docOf(key, content, expiresAt);
            const stale = docOf(key, text("what nobody wrote"));
            const [first, second] = [
              await apply(session, { id: wanted.id, expected, wanted }),
              await apply(session, { id: wanted.id, expected: stale, wanted: undefined }),
            ];
            expect([first, second]).toEqual([[WRITTEN], [CONFLICT]]);
            const found = (await store.lookup.find(COLLECTION, [wanted.id], never)).get(wanted.id.key);
            expect(Buffer.compare(found?.bytes ?? Buffer.alloc(0), wanted.bytes)).toBe(0);
            expected = wanted;
          }
          if (expected !== undefined) {
            expect(await apply(session, replace(expected, undefined))).toEqual([WRITTEN]);
            expect(await there(store)).toEqual([]);
          }
        },
      ),
      { numRuns: RUNS, seed: 15 },
    );
    await session.release();
  });

  it("count as written by another hand where what is there is what was wanted, and as conflicts where it is anything else", async () => {
    const { session } = await opened();
    const wanted = docOf("a", text("new"));
    await kv.redis("SET", "a", "new");
    expect(await apply(session, create(wanted))).toEqual([PRESENT]);
    expect(await apply(session, create(wanted), create(docOf("b", text("new"))))).toEqual([PRESENT, WRITTEN]);
    expect(await apply(session, replace(docOf("a", text("old")), wanted))).toEqual([PRESENT]);
    await kv.redis("SET", "a", "other");
    expect(await apply(session, create(wanted))).toEqual([CONFLICT]);
    expect(await apply(session, replace(docOf("a", text("old")), wanted))).toEqual([CONFLICT]);
    expect(await apply(session, replace(docOf("a", text("old")), undefined))).toEqual([CONFLICT]);
    expect(await apply(session, replace(docOf("gone", text("old")), undefined))).toEqual([PRESENT]);
    expect(await apply(session, replace(docOf("gone", text("old")), docOf("gone", text("new"))))).toEqual([
      CONFLICT,
    ]);
    await kv.redis("HSET", "h", "f", "v");
    expect(await apply(session, create(docOf("h", text("new"))))).toEqual([CONFLICT]);
    expect(await apply(session, replace(docOf("h", text("old")), docOf("h", text("new"))))).toEqual([
      CONFLICT,
    ]);
    expect(String(await kv.redis("GET", "a"))).toBe("other");
    await session.release();
  });

  it("leave a key alone whose expiry was changed, but where only the text of a string is replaced: that keeps it", async () => {
    const { store, session } = await opened();
    const end = Date.now() + 1_000_000;
    const list: EntryValue = { type: "list", value: [bytes("m")] };
    await kv.redis("SET", "string", "old", "PXAT", end);
    await kv.redis("RPUSH", "list", "m");
    await kv.redis("PEXPIREAT", "list", end);
    const [string, other] = [docOf("string", text("old")), docOf("list", list)];
    expect(await apply(session, replace(string, undefined))).toEqual([CONFLICT]);
    expect(await apply(session, replace(string, docOf("string", text("old"), end + 10_000)))).toEqual([
      CONFLICT,
    ]);
    expect(await apply(session, replace(other, docOf("list", text("new"))))).toEqual([CONFLICT]);
    expect(await apply(session, replace(string, docOf("string", text("new"))))).toEqual([WRITTEN]);
    const found = await there(store);
    expect(found.map(({ expiresAt }) => expiresAt)).toEqual([end, end]);
    const ends = async (...versions: [string, number?][]): Promise<number> => {
      const [from, to] = versions.map(([value, expiresAt]) => docOf("string", text(value), expiresAt));
      expect(await apply(session, replace(from as Doc, to))).toEqual([WRITTEN]);
      return Number(await kv.redis("PEXPIRETIME", "string"));
    };
    expect(await ends(["new", end], ["newer", end + 5_000])).toBe(end + 5_000);
    expect(await ends(["newer", end + 5_000], ["newest"])).toBe(-1);
    expect(await ends(["newest"], ["last", end])).toBe(end);
    expect(await ends(["last", end], ["last"])).toBe(-1);
    await session.release();
  });

  it("cost what the cheapest plan costs", async () => {
    const before = kv.upstash.billed;
    const { session, store } = await opened();
    const end = Date.now() + 10_000_000;
    const texts = Array.from({ length: 1000 }, (_, n) => docOf(`text ${n}`, text(`${n}`)));
    const created = await costOf(kv, () => apply(session, ...texts.map(create)));
    expect(created.result.every(({ result }) => result === "written")).toBe(true);
    expect(created.commands).toBe(2);
    const ending = texts.map((_, n) => docOf(`ending ${n}`, text("v"), end)).slice(0, 100);
    expect((await costOf(kv, () => apply(session, ...ending.map(create)))).commands).toBe(100);
    // A look at how expiries are read, once.
    const [first, ...others] = texts.slice(0, 101);
    const replaced = (doc: Doc): GuardedWrite => replace(doc, docOf(entryOf(doc).key, text("new")));
    await apply(session, replaced(first as Doc));
    const overwritten = await costOf(kv, () => apply(session, ...others.map(replaced)));
    expect(overwritten.commands).toBe(300);
    expect(overwritten.requests).toBe(1);
    const removed = others.map((doc) => replace(docOf(entryOf(doc).key, text("new")), undefined));
    expect((await costOf(kv, () => apply(session, ...removed))).commands).toBe(400);
    const members = ["a", "b"].map(bytes);
    const set = docOf("set", { type: "set", value: members });
    const list = docOf("set", { type: "list", value: members }, end);
    // EVAL, EXISTS, SADD
    expect((await costOf(kv, () => apply(session, create(set)))).commands).toBe(3);
    // EVAL, SMEMBERS, PEXPIRETIME, RPUSH, RENAME, PEXPIREAT
    expect((await costOf(kv, () => apply(session, replace(set, list)))).commands).toBe(6);
    // EVAL, LRANGE and no more
    expect((await costOf(kv, () => apply(session, replace(set, list)))).result).toEqual([PRESENT]);
    expect(store.costs.spent.commands).toBe(kv.upstash.billed - before);
    await session.release();
  });

  it("find out which of many strings are there when one is, in few commands", async () => {
    const { session } = await opened();
    await kv.redis("SET", "text 7", "somebody's");
    await kv.redis("SADD", "text 8", "somebody's");
    await kv.redis("SET", "text 9", "9");
    const texts = Array.from({ length: 500 }, (_, n) => docOf(`text ${n}`, text(`${n}`)));
    const { result, commands } = await costOf(kv, () => apply(session, ...texts.map(create)));
    const expected = new Map([
      [7, CONFLICT],
      [8, CONFLICT],
      [9, PRESENT],
    ]);
    expect(result).toEqual(texts.map((_, n) => expected.get(n) ?? WRITTEN));
    expect(commands).toBeLessThan(60);
    await session.release();
  });

  it("do without MSETNX, and with names and values that are no text", async () => {
    const before = kv.upstash.billed;
    const { store, session } = await opened();
    const odd = (n: number): Uint8Array => Uint8Array.of(255, n);
    const writes = Array.from({ length: 20 }, (_, n) =>
      docOf(odd(n), { type: n % 2 === 0 ? "string" : "string", value: odd(n) }),
    );
    expect(
      (await apply(session, ...writes.slice(0, 10).map(create))).every((o) => o.result === "written"),
    ).toBe(true);
    kv.upstash.settings.lacks = ["MSETNX"];
    const all = [...writes, docOf("a", text("1")), docOf("b", text("2"))];
    expect((await apply(session, ...all.map(create))).every((o) => o.result === "written")).toBe(true);
    expect((await there(store)).length).toBe(22);
    const replaced = writes.map((doc) =>
      replace(doc, docOf(entryOf(doc).key, { type: "set", value: [odd(1), odd(2)] })),
    );
    expect((await apply(session, ...replaced)).every((o) => o.result === "written")).toBe(true);
    expect((await there(store)).filter(({ content }) => content.type === "set").length).toBe(20);
    expect(store.costs.spent.commands).toBe(kv.upstash.billed - before);
    await session.release();
  });

  it("are written once where an answer was lost, and counted as written", async () => {
    const { store, session } = await opened();
    const texts = Array.from({ length: 5 }, (_, n) => docOf(`text ${n}`, text(`${n}`)));
    const list = docOf("list", { type: "list", value: ["a", "b"].map(bytes) });
    const longer = docOf("list", { type: "list", value: ["a", "b", "c"].map(bytes) });
    const lose = (): unknown => kv.fail({ times: 1, reset: "lost-reply" });
    lose();
    expect(await apply(session, ...texts.map(create))).toEqual(texts.map(() => WRITTEN));
    for (const write of [create(list), replace(list, longer), replace(longer, undefined)]) {
      await kv.redis("SCRIPT", "FLUSH");
      lose();
      expect(await apply(session, write)).toEqual([WRITTEN]);
    }
    expect((await there(store)).length).toBe(5);
    await session.release();
  });

  it("lose no write of an application that writes at the same time", async () => {
    const { store, session } = await opened();
    await kv.redis("SET", "counter", 0);
    let increments = 0;
    kv.fail({
      on: ({ commands }) => commands.some((name) => name.startsWith("EVAL")),
      every: 2,
      before: async () => {
        await kv.redis("INCR", "counter");
        increments++;
      },
    });
    let own = 0;
    for (let round = 0; round < 20; round++) {
      const id = idOfKey(bytes("counter"));
      const found = (await store.lookup.find(COLLECTION, [id], never)).get(id.key);
      const { value } = entryOf(found).content as { value: Uint8Array };
      const wanted = docOf("counter", text(String(Number(Buffer.from(value)) + 1_000_000)));
      const [outcome] = await apply(session, replace(found as Doc, wanted));
      if (outcome?.result === "written") own++;
    }
    expect([own, increments]).toEqual([10, 10]);
    expect(Number(await kv.redis("GET", "counter"))).toBe(increments + own * 1_000_000);
    await session.release();
  });

  it("leave what an application writes right before them, whatever is to be done", async () => {
    const { session } = await opened();
    const end = Date.now() + 10_000_000;
    const set: EntryValue = { type: "set", value: ["a", "b"].map(bytes) };
    const large = text("y".repeat(1_000_000));
    const [absent, old] = [undefined, text("old")];
    const cases: [EntryValue | undefined, EntryValue | undefined, number?][] = [
      ...[text("new"), set, large].map((wanted) => [absent, wanted] as [undefined, EntryValue]),
      [absent, text("new"), end],
      ...[text("new"), set, large, absent].map(
        (wanted) => [old, wanted] as [EntryValue, EntryValue | undefined],
      ),
      [old, text("new"), end],
      [old, old, end],
      [set, text("new")],
    ];
    for (const [before, wanted, expiresAt] of cases)
      for (const theirs of [
        ["SET", "key", "theirs"],
        ["HSET", "key", "f", "theirs"],
      ] as const) {
        await kv.redis("DEL", "key");
        const expected = before && docOf("key", before);
        if (before?.type === "string") await kv.redis("SET", "key", before.value);
        else if (before !== undefined) await kv.redis("SADD", "key", "a", "b");
        const writes = ({ commands }: { commands: readonly string[] }): boolean =>
          commands.some((name) => ["MSETNX", "SET", "EVAL", "EVALSHA"].includes(name));
        const race = kv.fail({
          on: writes,
          times: 1,
          before: async () => {
            await kv.redis("DEL", "key");
            await kv.redis(...theirs);
          },
        });
        const wish = wanted && docOf("key", wanted, expiresAt);
        const outcome = await apply(session, { id: idOfKey(bytes("key")), expected, wanted: wish });
        expect([race.hits, outcome]).toEqual([1, [CONFLICT]]);
        race.stop();
        const found = theirs[0] === "SET" ? await kv.redis("GET", "key") : await kv.redis("HGET", "key", "f");
        expect(String(found)).toBe("theirs");
      }
    await session.release();
  });

  it("build what is larger than a megabyte under another name, and put it in place at once", async () => {
    const { store, session } = await opened();
    const size = 1_000_000;
    const member = (n: number): Uint8Array => bytes(`${n}:${"x".repeat(20_000)}`);
    const members = Array.from({ length: 50 }, (_, n) => member(n));
    const sorted = members.toSorted(Buffer.compare);
    const contents: EntryValue[] = [
      { type: "string", value: bytes("y".repeat(size)) },
      { type: "string", value: new Uint8Array(size).fill(255) },
      { type: "list", value: members },
      { type: "set", value: sorted },
      { type: "hash", value: sorted.map((one) => [one, bytes("v")]) },
      { type: "zset", value: members.map((one, n) => [one, n]) },
      {
        type: "stream",
        value: {
          entries: members.map((one, n) => ({ id: `${n + 1}-0`, fields: [[bytes("f"), one]] })),
          lastId: "200-5",
        },
      },
    ];
    const end = Date.now() + 10_000_000;
    kv.fail({ every: 2, reset: "lost-reply" });
    let expected: Doc | undefined;
    for (const content of contents) {
      const wanted = docOf("large", content, end);
      expect([content.type, ...(await apply(session, { id: wanted.id, expected, wanted }))]).toEqual([
        content.type,
        WRITTEN,
      ]);
      expect(
        Buffer.compare((await readAll(store)).get(wanted.id.key)?.bytes ?? wanted.id.element, wanted.bytes),
      ).toBe(0);
      expect(await kv.redis("KEYS", "_dualsync:build:*")).toEqual([]);
      expected = wanted;
    }
    await kv.redis("SET", "large", "somebody's");
    const [outcome] = await apply(
      session,
      replace(expected as Doc, docOf("large", contents[0] as EntryValue)),
    );
    expect(outcome).toEqual(CONFLICT);
    expect(await kv.redis("KEYS", "*")).toHaveLength(2);
    await session.release();
  });

  it("build under names that expire from the first piece on, whenever the process ends", async () => {
    const { session } = await opened();
    const members = Array.from({ length: 50 }, (_, n) => bytes(`${n}:${"x".repeat(40_000)}`));
    const contents: EntryValue[] = [
      { type: "string", value: bytes("y".repeat(2_000_000)) },
      { type: "string", value: new Uint8Array(2_000_000).fill(255) },
      { type: "list", value: members },
      {
        type: "hash",
        value: [
          [bytes("f"), bytes("y".repeat(2_000_000))],
          ...members.map((one) => [one, bytes("v")] as const),
        ],
      },
      {
        type: "stream",
        value: {
          entries: members.map((one, n) => ({ id: `${n + 1}-0`, fields: [[bytes("f"), one]] })),
          lastId: "200-5",
        },
      },
    ];
    const left: unknown[] = [];
    kv.fail({
      before: async () => {
        for (const name of (await kv.redis("KEYS", "_dualsync:build:*")) as Buffer[])
          left.push(Number(await kv.redis("PTTL", name)) > 0);
      },
    });
    for (const [at, content] of contents.entries()) {
      left.splice(0);
      expect(await apply(session, create(docOf(`large ${at}`, content)))).toEqual([WRITTEN]);
      expect([content.type, new Set(left)]).toEqual([content.type, new Set([true])]);
    }
    await session.release();
  });

  it("leave the old value where what was built is not whole", async () => {
    const { session } = await opened();
    await kv.redis("SET", "key", "old");
    const large = docOf("key", text("y".repeat(1_000_000)));
    for (const harm of ["DEL", "INCR"]) {
      const race = kv.fail({
        on: ({ commands }) => commands.some((name) => name.startsWith("EVAL")),
        times: 1,
        before: async () => {
          const [built] = (await kv.redis("KEYS", "_dualsync:build:*")) as Buffer[];
          await (harm === "DEL"
            ? kv.redis("DEL", built as Buffer)
            : kv.redis("SETRANGE", built as Buffer, 7, "z"));
        },
      });
      const [outcome] = await apply(session, replace(docOf("key", text("old")), large));
      expect(race.hits).toBe(1);
      expect(outcome).toEqual({
        result: "rejected",
        reason: "it did not arrive whole: does another program remove keys?",
      });
      race.stop();
    }
    expect(String(await kv.redis("GET", "key"))).toBe("old");
    expect(await kv.redis("KEYS", "_dualsync:build:*")).toEqual([]);
    await session.release();
  });

  it("are refused with a reason for what no key can hold, and for what could not be read", async () => {
    const { session } = await opened();
    const large = docOf("a", text("x"));
    const nested = (content: EntryValue): GuardedWrite => create(docOf("a", content));
    const tooWide = { type: "list", value: [new Uint8Array(5_000_000)] } as const;
    const unread = { id: large.id, bytes: large.bytes.slice() };
    unread.bytes.set(Buffer.from("other"), unread.bytes.length - 80);
    const outcomes = await apply(session, nested(tooWide), {
      id: idOfKey(bytes("_dualsync:lease")),
      expected: undefined,
      wanted: undefined,
    });
    expect(outcomes).toEqual([
      { result: "rejected", reason: "it has a member larger than 4 MB, which no single request takes" },
      { result: "rejected", reason: "keys whose names begin so are dualsync's own" },
    ]);
    await session.release();
  });
});
