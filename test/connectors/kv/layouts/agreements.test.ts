import { createHash } from "node:crypto";
import { Binary } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import { keyLayouts } from "../../../../src/connectors/kv/layouts/layouts.ts";
import type { Agreement } from "../../../../src/connectors/powers/agreements.ts";
import { never } from "../../../support/signal.ts";
import { type Copies, type Copy, record, startCopies } from "./copies.ts";

let copies: Copies;
beforeAll(async () => {
  copies = await startCopies();
  return () => copies.stop();
});

const NAME = "_dualsync_agreements";
const soon = Date.UTC(2099, 0, 1);

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function agreed(key: string | Uint8Array, more: Partial<Agreement> = {}): Agreement {
  const { id } = record(key, "v");
  return { id, primary: hashOf("a"), copy: hashOf("b"), expiresAt: undefined, ...more };
}

const every: readonly Agreement[] = [
  agreed("plain"),
  agreed("until", { expiresAt: soon }),
  agreed("missing", { missingSince: new Date(soon) }),
  agreed("written", { replaced: { primary: hashOf("c") } }),
  agreed("both", { replaced: { primary: hashOf("c"), copy: hashOf("d") } }),
  agreed(Buffer.from([0xff, 0])),
  agreed(""),
];

/** Without the ids, which come in memory of their own. */
function plain(agreements: Iterable<Agreement>): unknown[] {
  return [...agreements]
    .map(({ id, missingSince, replaced, ...rest }) => ({
      ...rest,
      key: id.key,
      missingSince: missingSince?.getTime(),
      replaced: { primary: replaced?.primary, copy: replaced?.copy },
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function readAll({ store }: Copy): Promise<Agreement[]> {
  const found: Agreement[] = [];
  for await (const some of store.agreements.read(never)) found.push(...some);
  return found;
}

describe.each(keyLayouts.names)("the agreements of a copy in the layout %s", (layout) => {
  it("are found, read and counted as they were left", async () => {
    const copy = await copies.begin(layout);
    const ids = every.map(({ id }) => id);
    expect(await copy.store.agreements.find(ids, never)).toEqual(new Map());
    expect(await copy.store.agreements.count(never)).toBe(0);
    await copy.session.agreements.leave(every, never);
    expect(plain((await copy.store.agreements.find(ids, never)).values())).toEqual(plain(every));
    expect(plain(await readAll(copy))).toEqual(plain(every));
    expect(await copy.store.agreements.count(never)).toBe(every.length);
    const [found] = (
      await copy.store.agreements.find([agreed("other").id, agreed("plain").id], never)
    ).keys();
    expect(found).toBe(agreed("plain").id.key);
  });

  it("take the place of those with the same ids, and are forgotten", async () => {
    const copy = await copies.begin(layout);
    await copy.session.agreements.leave([agreed("a", { missingSince: new Date(0), expiresAt: 1 })], never);
    await copy.session.agreements.leave([agreed("a", { copy: hashOf("x") }), agreed("b")], never);
    expect(plain(await readAll(copy))).toEqual(plain([agreed("a", { copy: hashOf("x") }), agreed("b")]));
    await copy.session.agreements.forget([agreed("a").id, agreed("never").id], never);
    expect(plain(await readAll(copy))).toEqual(plain([agreed("b")]));
  });

  it("are no part of the copy and of no other command", async () => {
    const copy = await copies.begin(layout);
    await copy.session.agreements.leave(every, never);
    await copy.session.remember(layout, "kv.test", never);
    expect(await copy.store.count("kv_records", {}, never)).toBe(0);
    expect((await copy.mongodb.list(never)).collections).toEqual([]);
    expect((await copy.mongodb.history.read(never)).collections.size).toBe(0);
    expect(await keyLayouts.look(copy.mongodb, never)).toMatchObject({ isEmpty: true, present: new Map() });
  });

  it("keep fields that are not known, and hashes that are text", async () => {
    const copy = await copies.begin(layout);
    const own = copy.db.collection<{ _id: string | number }>(NAME);
    await own.insertOne({ _id: "k", primary: hashOf("a"), copy: hashOf("b"), live: { since: 1 } } as never);
    expect(plain(await readAll(copy))).toEqual(plain([agreed("k")]));
    await copy.session.agreements.leave([agreed("k", { copy: hashOf("x") })], never);
    const document = await own.findOne({ _id: "k" });
    expect(document).toEqual({
      _id: "k",
      primary: new Binary(Buffer.from(hashOf("a"), "hex")),
      copy: new Binary(Buffer.from(hashOf("x"), "hex")),
      live: { since: 1 },
    });
  });

  it("that are none count as none", async () => {
    const copy = await copies.begin(layout);
    const own = copy.db.collection<{ _id: unknown }>(NAME);
    await own.insertMany([
      { _id: "short", primary: "abc", copy: hashOf("b") },
      { _id: "lacking", primary: hashOf("a") },
      { _id: 5, primary: hashOf("a"), copy: hashOf("b") },
      { _id: "good", primary: hashOf("a"), copy: hashOf("b"), expiresAt: "never", replaced: 1 },
    ] as never);
    expect(plain(await readAll(copy))).toEqual(plain([agreed("good")]));
  });
});

describe("what a copy was begun as", () => {
  it("is remembered beside the agreements, and is none of them", async () => {
    const copy = await copies.begin("collections");
    expect((await keyLayouts.look(copy.mongodb, never)).remembered).toBeUndefined();
    await copy.session.remember("collections", "first.test", never);
    await copy.db.collection<{ _id: number }>(NAME).updateOne({ _id: 0 }, { $set: { live: true } });
    await copy.session.remember("collections", "kv.test", never);
    expect((await keyLayouts.look(copy.mongodb, never)).remembered).toEqual({
      layout: "collections",
      from: "kv.test",
    });
    expect(await copy.db.collection(NAME).find().toArray()).toEqual([
      { _id: 0, layout: "collections", from: "kv.test", live: true },
    ]);
    await copy.session.agreements.leave([agreed("k")], never);
    expect(plain(await readAll(copy))).toEqual(plain([agreed("k")]));
    expect(await copy.store.agreements.count(never)).toBe(1);
  });
});
