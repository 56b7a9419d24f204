import { BSON, type Document, MongoClient } from "mongodb";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import { guardedStatements } from "../../../../src/connectors/mongodb/writing/statements.ts";
import type {
  GuardedOutcome,
  GuardedWrite,
  PreparedWrite,
} from "../../../../src/connectors/powers/guarded-writes.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type Fate, type ScriptedRelay, startScriptedRelay } from "../../../services/wire/scripted-relay.ts";
import { startWireProxy, type WireProxy } from "../../../services/wire-proxy/wire-proxy.ts";
import { doc, hexOf, id, rawDoc } from "../../../support/data/documents.ts";
import { hardDocuments, STORABLE } from "../../../support/data/hard-documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const RACES = LONG ? 20_000 : 1_000;

const WRITTEN = { result: "written" };
const CONFLICT = { result: "conflict" };

let server: MongodbService;
let proxy: WireProxy;
let relay: ScriptedRelay;
let client: MongoClient;
let store: MongodbStore;
let session: MongodbSession;
let collection: string;
let count = 0;
beforeAll(async () => {
  server = await sharedMongodb();
  // With sessions and cluster times, as most servers.
  proxy = await startWireProxy({ target: server.port, face: "replica-set" });
  relay = await startScriptedRelay(proxy.port);
  client = new MongoClient(server.uri);
  const address = { uri: relay.uri, database: "guarded", role: "target", label: "test" } as const;
  store = await mongodb(address, never);
  session = await sessionOf(store);
  return async () => {
    await store.close();
    await client.close();
    await relay.stop();
    await proxy.stop();
    await server.stop();
  };
});
beforeEach(() => {
  collection = `c${++count}`;
  relay.script = () => undefined;
});

/** What becomes of the first, second, … command of this name; the later ones pass. */
function on(name: string, ...fates: Fate[]): () => number {
  let seen = 0;
  relay.script = (command) => (command[name] === collection ? fates[seen++] : undefined);
  return () => seen;
}

function answer(document: Document): Fate {
  return { answer: { ok: 1, n: 0, nModified: 0, ...document } };
}

async function put(documents: readonly Doc[]): Promise<void> {
  const outcome = await session.write(collection, Batch.of(documents), "replace", never);
  expect(outcome).toMatchObject({ rejected: [] });
}

async function prepared(writes: readonly GuardedWrite[]): Promise<PreparedWrite[]> {
  const answers = await session.guarded.prepare(collection, writes, never);
  return answers.map((one) => {
    if ("result" in one) throw new Error(JSON.stringify(one));
    return one;
  });
}

async function apply(writes: readonly GuardedWrite[]): Promise<readonly GuardedOutcome[]> {
  return await session.guarded.apply(collection, await prepared(writes), never);
}

/** What is there under the ids of these documents, in their order; undefined where nothing is. */
async function there(documents: readonly Pick<Doc, "id">[]): Promise<(string | undefined)[]> {
  const ids = documents.map((one) => one.id);
  const found = await store.lookup.find(collection, ids, never);
  return ids.map(({ key }) => found.get(key)).map((one) => (one === undefined ? undefined : hexOf([one])[0]));
}

/** From one document to another, either of which may be missing. */
function change(expected: Doc | undefined, wanted: Doc | undefined): GuardedWrite {
  const known = expected?.id ?? wanted?.id;
  if (known === undefined) throw new Error("a change of nothing");
  return { id: known, expected, wanted };
}

describe("guarded writes to MongoDB", () => {
  const [one, two, other] = [doc({ _id: 1, n: 1 }), doc({ _id: 1, n: 2 }), doc({ _id: 1, n: 3 })];

  it("a document that is as it was read is replaced, removed, or created where there was none", async () => {
    expect(await apply([change(undefined, one)])).toEqual([WRITTEN]);
    expect(await there([one])).toEqual(hexOf([one]));
    expect(await apply([change(one, two)])).toEqual([WRITTEN]);
    expect(await there([one])).toEqual(hexOf([two]));
    expect(await apply([change(two, undefined)])).toEqual([WRITTEN]);
    expect(await there([one])).toEqual([undefined]);
  });

  it("a document that is not as it was read is left as it is", async () => {
    await put([other]);
    const conflicts = [change(one, two), change(one, undefined), change(undefined, one)];
    for (const conflict of conflicts) expect(await apply([conflict])).toEqual([CONFLICT]);
    expect(await apply([{ id: id(1), expected: undefined, wanted: undefined }])).toEqual([CONFLICT]);
    expect(await there([one])).toEqual(hexOf([other]));
    const gone = doc({ _id: 2, n: 1 });
    expect(await apply([change(gone, doc({ _id: 2, n: 2 }))])).toEqual([CONFLICT]);
    expect(await there([gone])).toEqual([undefined]);
  });

  it("what is there already as it is wanted counts as written, so that writes can be repeated", async () => {
    await put([doc({ _id: 2, n: 1 }), doc({ _id: 3 })]);
    const writes = await prepared([
      change(undefined, one),
      change(doc({ _id: 2, n: 1 }), doc({ _id: 2, n: 2 })),
      change(doc({ _id: 3 }), undefined),
      { id: id(4), expected: undefined, wanted: undefined },
    ]);
    for (let time = 0; time < 3; time++)
      expect(await session.guarded.apply(collection, writes, never)).toEqual(writes.map(() => WRITTEN));
  });

  it("a write that is prepared says what it changes, and nothing is changed by that", async () => {
    const info = { name: collection, kind: "collection", type: "collection", options: new Map() } as const;
    const made = await session.prepare({ ...info, ordered: true, documents: 0, bytes: 0 }, never);
    const writes = [change(undefined, one), change(one, two), change(two, undefined)];
    const stored = (await prepared(writes)).map((write) => write.stored);
    const known = { collection: { name: collection, uid: made.uid }, id: one.id };
    expect(made.uid).toBeDefined();
    expect(stored).toEqual([
      { ...known, before: undefined, after: one },
      { ...known, before: one, after: two },
      { ...known, before: two, after: undefined },
    ]);
    expect(await there([one])).toEqual([undefined]);
  });

  it("a document whose _id cannot be used in a query is rejected before anything is written", async () => {
    const strange = [bson.regex("a", ""), bson.array([bson.int32(1)]), bson.bare(TYPE.undefined)];
    const writes = strange.map((value) => change(undefined, rawDoc(bson.documentBytes([["_id", value]]))));
    const answers = await session.guarded.prepare(collection, writes, never);
    const rejected = { result: "rejected", reason: expect.stringMatching(/_id cannot be used in a query/) };
    expect(answers).toEqual(strange.map(() => rejected));
  });

  it("every storable document is expected, written and removed byte for byte", async () => {
    const documents = [...hardDocuments(STORABLE).values()].map(rawDoc);
    const plain = documents.map(({ id: { element } }) => {
      const value = { type: element[0] as number, bytes: Buffer.from(element.subarray(1)) };
      return rawDoc(bson.documentBytes([["_id", value]]));
    });
    const pairs = documents.map((document, i) => [document, plain[i]] as const);
    const all = documents.map(() => WRITTEN);
    expect(await apply(documents.map((document) => change(undefined, document)))).toEqual(all);
    expect(await there(documents)).toEqual(hexOf(documents));
    expect(await apply(pairs.map(([document, other]) => change(document, other)))).toEqual(all);
    expect(await there(documents)).toEqual(hexOf(plain));
    expect(await apply(pairs.map(([document, other]) => change(other, document)))).toEqual(all);
    expect(await there(documents)).toEqual(hexOf(documents));
    expect(await apply(documents.map((document) => change(document, undefined)))).toEqual(all);
    expect(await there(documents)).toEqual(documents.map(() => undefined));
  });

  const fields = (...content: [string, bson.BsonValue][]): Doc =>
    rawDoc(bson.documentBytes([["_id", bson.int32(1)], ...content]));
  const string = (content: string): bson.BsonValue => bson.text(TYPE.string, content);
  const value = (is: bson.BsonValue): Doc => fields(["v", is]);
  const [a, b] = [bson.int32(1), bson.int32(2)];

  it.each<[string, Doc, Doc]>([
    ["the order of fields", fields(["a", a], ["b", b]), fields(["b", b], ["a", a])],
    [
      "the order of fields further down",
      value(
        bson.object([
          ["a", a],
          ["b", b],
        ]),
      ),
      value(
        bson.object([
          ["b", b],
          ["a", a],
        ]),
      ),
    ],
    ["the order in an array", value(bson.array([a, b])), value(bson.array([b, a]))],
    ["an array in an array", value(bson.array([a])), value(bson.array([bson.array([a])]))],
    ["a number's length", value(bson.int32(1)), value(bson.int64(1n))],
    ["a number's length in an array", value(bson.array([a])), value(bson.array([bson.double(1)]))],
    ["a decimal", value(bson.double(1)), value(bson.decimal(1n, 0))],
    ["not a number", value(bson.double(Number.NaN)), value(bson.double(0))],
    ["capitals", value(string("a")), value(string("A"))],
    ["an accent", value(string("e")), value(string("é"))],
    ["two ways to write one character", value(string("é")), value(string("e\u0301"))],
    ["a text that looks like a field", value(string("$v")), value(string("$w"))],
    ["null or nothing", value(bson.bare(TYPE.null)), fields()],
    ["null or undefined", value(bson.bare(TYPE.null)), value(bson.bare(TYPE.undefined))],
    ["a date or its number", value(bson.eightBytes(TYPE.date, 5n)), value(bson.int64(5n))],
    ["a binary's kind", value(bson.binary(0, Buffer.from("a"))), value(bson.binary(4, Buffer.from("a")))],
    ["a field's name", fields(["a.b", a]), value(bson.object([["b", a]]))],
  ])("documents that differ in %s are not taken for each other", async (_, expected, found) => {
    await put([found]);
    expect(await apply([change(expected, other)])).toEqual([CONFLICT]);
    expect(await apply([change(expected, undefined)])).toEqual([CONFLICT]);
    expect(await there([found])).toEqual(hexOf([found]));
    expect(await apply([change(found, other)])).toEqual([WRITTEN]);
  });

  it.each<[string, Doc, Doc]>([
    ["a whole number's type of the same length", value(bson.int64(1n)), value(bson.double(1))],
    ["the sign of zero", value(bson.double(0)), value(bson.double(-0))],
    ["the zeros of a decimal", value(bson.decimal(1n, 0)), value(bson.decimal(10n, -1))],
    ["a symbol or its text", value(string("s")), value(bson.text(TYPE.symbol, "s"))],
  ])("documents that differ in nothing but %s are taken for each other", async (_, expected, found) => {
    await put([found]);
    expect(await apply([change(expected, other)])).toEqual([WRITTEN]);
    expect(await there([other])).toEqual(hexOf([other]));
  });

  it("no collation of a collection decides what is equal", () => {
    const statements = guardedStatements([{ id: one.id, expected: one, wanted: two }], false);
    const statement = BSON.deserialize(statements.bytes);
    expect(statement).toMatchObject({ u: { _id: 1, n: 2 }, collation: { locale: "simple" } });
  });

  it.each([
    ["8 MB", 8_388_608],
    ["16 MB", 16_777_216],
  ])("documents of %s are replaced and removed only as they were read", async (_, size) => {
    const large = (letter: string): Doc => {
      const document = doc({ _id: 1, text: letter.repeat(size - 25) });
      expect(document.bytes.length).toBe(size);
      return document;
    };
    const [before, after, unexpected] = [large("a"), large("b"), large("c")];
    // Past the proxies, which take their time.
    const address = { uri: server.uri, database: `large${count}`, role: "target", label: "test" } as const;
    const own = await mongodb(address, never);
    const { guarded } = await sessionOf(own);
    const become = async (expected: Doc | undefined, wanted: Doc | undefined): Promise<unknown> => {
      const writes = await guarded.prepare(collection, [change(expected, wanted)], never);
      return (await guarded.apply(collection, writes as PreparedWrite[], never))[0];
    };
    expect(await become(undefined, before)).toEqual(WRITTEN);
    expect(await become(unexpected, after)).toEqual(CONFLICT);
    expect(await become(before, after)).toEqual(WRITTEN);
    expect(await become(after, undefined)).toEqual(WRITTEN);
    await own.close();
  });

  it("a document with no room beside the new one is left alone where the server has no variables", async () => {
    const [before, after] = ["a", "b"].map((letter) => doc({ _id: 1, text: letter.repeat(9_000_000) })) as [
      Doc,
      Doc,
    ];
    await put([before]);
    relay.script = (command) =>
      "let" in command ? { answer: { ok: 0, code: 40415, errmsg: "let" } } : undefined;
    const reason = expect.stringMatching(/no more than 16 MB/);
    expect(await apply([change(before, after)])).toEqual([{ result: "rejected", reason }]);
    expect(await there([before])).toEqual(hexOf([before]));
  });

  const hundred = Array.from({ length: 100 }, (_, n) => doc({ _id: n, n }));
  const hundredNext = hundred.map((_, n) => doc({ _id: n, next: n }));

  it("of a hundred writes in one command those in conflict are found by one look", async () => {
    await put(hundred);
    const disturbed = [3, 50, 99];
    for (const _id of disturbed)
      await client
        .db("guarded")
        .collection<{ _id: number }>(collection)
        .updateOne({ _id }, { $set: { n: -1 } });
    const sent: string[] = [];
    relay.script = (command) => {
      const [name = ""] = Object.keys(command);
      // The lease is renewed beside it.
      if (["update", "find"].includes(name) && command[name] === collection) sent.push(name);
      return undefined;
    };
    const outcomes = await apply(hundred.map((document, n) => change(document, hundredNext[n])));
    expect(sent).toEqual(["update", "find"]);
    expect(outcomes).toEqual(hundred.map((_, n) => (disturbed.includes(n) ? CONFLICT : WRITTEN)));
    const expected = hundred.map((_, n) => (disturbed.includes(n) ? doc({ _id: n, n: -1 }) : hundredNext[n]));
    expect(await there(hundred)).toEqual(hexOf(expected as Doc[]));
  });

  it.each(["insert", "update", "delete"])(
    "a write whose reply was lost counts as written (%s)",
    async (name) => {
      const [before, after] = [
        name === "insert" ? undefined : hundred,
        name === "delete" ? undefined : hundredNext,
      ];
      if (before !== undefined) await put(before);
      const seen = on(name, "lose the answer", "break");
      const outcomes = await apply(hundred.map((_, n) => change(before?.[n], after?.[n])));
      expect(outcomes).toEqual(hundred.map(() => WRITTEN));
      expect(await there(hundred)).toEqual(after === undefined ? hundred.map(() => undefined) : hexOf(after));
      expect(seen()).toBeGreaterThan(1);
    },
  );

  it("a write is sent again while a router blames single documents for the state of a shard, or no majority has it", async () => {
    await put(hundred);
    const writeConcernError = { code: 64, codeName: "WriteConcernTimeout", errmsg: "timed out" };
    on(
      "update",
      answer({ n: 99, writeErrors: [{ index: 7, code: 10107, errmsg: "not primary" }] }),
      answer({ n: 100, writeConcernError }),
    );
    const outcomes = await apply(hundred.map((document, n) => change(document, hundredNext[n])));
    expect(outcomes).toEqual(hundred.map(() => WRITTEN));
    expect(await there(hundred)).toEqual(hexOf(hundredNext));
  });

  it("a write is rejected with the reason where another document has its unique value, and no other with it", async () => {
    await client.db("guarded").collection(collection).createIndex({ email: 1 }, { unique: true });
    const [held, free] = [doc({ _id: 1, email: "secret@a" }), doc({ _id: 2, email: "b" })];
    await put([held, free]);
    const rejected = { result: "rejected", reason: expect.stringMatching(/unique index on email/) };
    const outcomes = await apply([
      change(free, doc({ _id: 2, email: "secret@a" })),
      change(undefined, doc({ _id: 3, email: "secret@a" })),
      change(undefined, doc({ _id: 4, email: "d" })),
      change(held, doc({ _id: 1, email: "secret@a", n: 1 })),
    ]);
    expect(outcomes).toEqual([rejected, rejected, WRITTEN, WRITTEN]);
    expect(JSON.stringify(outcomes)).not.toMatch(/secret/);
    expect(await there([free])).toEqual(hexOf([free]));
  });

  it("a document for which the server refuses the whole command is found and rejected", async () => {
    await put(hundred.slice(0, 2));
    const refused: Fate = {
      answer: { ok: 0, code: 10334, codeName: "BSONObjectTooLarge", errmsg: "too large" },
    };
    on("update", refused, refused);
    const outcomes = await apply([0, 1].map((n) => change(hundred[n], hundredNext[n])));
    expect(outcomes).toEqual([{ result: "rejected", reason: expect.stringMatching(/10334/) }, WRITTEN]);
  });

  it("an unknown refusal fails, and is never an outcome of a document", async () => {
    await put([one]);
    on("update", { answer: { ok: 0, code: 13, errmsg: "secret@a is not authorized" } });
    const error: unknown = await apply([change(one, two)]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exit: "denied", message: expect.not.stringMatching(/secret/) });
    expect(await there([one])).toEqual(hexOf([one]));
  });

  it("checksums of the collection are removed before anything is written", async () => {
    await put([one]);
    await session.checksums.leave(collection, Buffer.from("checksums"), never);
    const writes = await prepared([change(one, two)]);
    expect(await store.checksums.read(collection, never)).toBeDefined();
    const sent: string[] = [];
    relay.script = (command) => {
      const [name = ""] = Object.keys(command);
      if (["delete", "update"].includes(name)) sent.push(name);
      return undefined;
    };
    expect(await session.guarded.apply(collection, writes, never)).toEqual([WRITTEN]);
    const left = await store.checksums.read(collection, never);
    expect([sent, left]).toEqual([["delete", "update"], undefined]);
  });

  it("an interrupted write ends at once with the reason", async () => {
    await put([one]);
    const writes = await prepared([change(one, two)]);
    const controller = new AbortController();
    const reason = new Error("enough");
    relay.script = (command) => {
      if (command.update !== collection) return undefined;
      controller.abort(reason);
      return "say nothing";
    };
    await expect(session.guarded.apply(collection, writes, controller.signal)).rejects.toBe(reason);
  });
});

describe("guarded writes to MongoDB beside another writer", () => {
  /** Small enough to overlap, whichever begins. */
  const ROUND = 25;

  it(`no update of another writer is lost in ${RACES} races`, async () => {
    type Counted = { _id: number; updates: number };
    const raced = client.db("guarded").collection<Counted>(collection);
    const seen = { written: 0, conflict: 0 };
    for (let from = 0; from < RACES; from += ROUND) {
      const numbers = Array.from({ length: ROUND }, (_, n) => from + n);
      const kindOf = (n: number): number => n % 3; // replaced, removed, created
      const existing = numbers.filter((n) => kindOf(n) !== 2).map((n) => doc({ _id: n, updates: 0 }));
      await put(existing);
      const writes = await prepared(
        numbers.map((n) => {
          const expected = kindOf(n) === 2 ? undefined : doc({ _id: n, updates: 0 });
          return {
            id: id(n),
            expected,
            wanted: kindOf(n) === 1 ? undefined : doc({ _id: n, updates: 0, own: true }),
          };
        }),
      );
      const theirs = async (): Promise<Set<number>> => {
        const updated = await Promise.all(
          numbers.toReversed().map(async (_id) => {
            if (kindOf(_id) === 2)
              return await raced.insertOne({ _id, updates: 1 }).then(
                () => _id,
                () => -1,
              );
            const { matchedCount } = await raced.updateOne({ _id }, { $inc: { updates: 1 } });
            return matchedCount === 1 ? _id : -1;
          }),
        );
        return new Set(updated);
      };
      const [outcomes, updated] = await Promise.all([
        session.guarded.apply(collection, writes, never),
        theirs(),
      ]);
      const found = new Map(
        (await raced.find({ _id: { $in: numbers } }).toArray()).map((one) => [one._id, one]),
      );
      numbers.forEach((n, i) => {
        const result = outcomes[i]?.result;
        if (result !== "written" && result !== "conflict")
          throw new Error(`${n}: ${JSON.stringify(outcomes[i])}`);
        seen[result]++;
        // An update that found the document is in it, whoever was first.
        const updates = updated.has(n) ? 1 : kindOf(n) === 2 ? 0 : undefined;
        expect([n, result, found.get(n)?.updates]).toEqual([n, result, updates]);
        if (result === "written") expect([n, "own" in (found.get(n) ?? {})]).toEqual([n, kindOf(n) !== 1]);
      });
    }
    expect(Math.min(seen.written, seen.conflict)).toBeGreaterThan(RACES / 100);
  });
});
