import { beforeAll, describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { LOOK_ALIKES } from "../../../core/explain/look-alikes.ts";
import { rawDocument } from "../../../services/mongodb/raw-source.ts";
import { collectionOf, compare, findings, PADDING, refuseHashes, TIERS } from "../../../support/compared.ts";
import { plant } from "../../../support/data/plant.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair({ rawDocuments: true }, { rawDocuments: true }, {});
const DATABASE = "classifyPair";

type Fields = readonly (readonly [string | Buffer, bson.BsonValue])[];
interface Case {
  readonly what: string;
  readonly source: Fields;
  readonly target: Fields;
}

const one = bson.int32(1);
const two = bson.int32(2);
const empty = bson.bare(TYPE.null);
const text = (content: string): bson.BsonValue => bson.text(TYPE.string, content);
const nested = (...values: bson.BsonValue[]): Fields => [["a", bson.array(values)]];
const deep = (value: bson.BsonValue): bson.BsonValue =>
  Array.from({ length: 90 }).reduce<bson.BsonValue>((inner) => bson.object([["d", inner]]), value);

const VALUES: readonly Case[] = LOOK_ALIKES.map(([what, source, , target]) => ({
  what,
  source: [["v", source]],
  target: [["v", target]],
}));
const SHAPES: readonly Case[] = [
  {
    what: "sizes that cancel",
    source: [
      ["a", one],
      ["b", bson.int64(2n)],
    ],
    target: [
      ["a", bson.int64(1n)],
      ["b", two],
    ],
  },
  {
    what: "fields in another order",
    source: [
      ["a", one],
      ["b", two],
    ],
    target: [
      ["b", two],
      ["a", one],
    ],
  },
  { what: "elements in another order", source: nested(one, two), target: nested(two, one) },
  {
    what: "arrays in arrays",
    source: nested(bson.array([one]), two),
    target: nested(bson.array([one, two])),
  },
  { what: "null and absent", source: [["a", empty]], target: [] },
  { what: "names of fields", source: [["a", one]], target: [["A", one]] },
  { what: "an empty name", source: [["", one]], target: [[" ", one]] },
  { what: "dots in names", source: [["a.b", one]], target: [["a", bson.object([["b", one]])]] },
  {
    what: "long and double, deep down",
    source: [["a", deep(bson.int64(1n))]],
    target: [["a", deep(bson.double(1))]],
  },
  {
    what: "where the _id is",
    source: [["v", bson.object([["_id", one]])]],
    target: [["v", bson.object([["_id ", one]])]],
  },
  {
    what: "the end of a long text",
    source: [["t", text(`${"x".repeat(100_000)}a`)]],
    target: [["t", text(`${"x".repeat(100_000)}b`)]],
  },
];
/** Servers alter these, or refuse them: they are in stores that are older, and come wrapped here. */
const WRAPPED: readonly Case[] = [
  {
    what: "a name twice",
    source: [
      ["a", one],
      ["a", two],
    ],
    target: [
      ["a", two],
      ["a", one],
    ],
  },
  {
    what: "names of elements",
    source: [["a", { ...bson.object([["5", one]]), type: TYPE.array }]],
    target: nested(one),
  },
  { what: "order of flags", source: [["r", bson.regex("a", "xi")]], target: [["r", bson.regex("a", "ix")]] },
  { what: "names that are not UTF-8", source: [[Buffer.of(0xff), one]], target: [[Buffer.of(0xfe), one]] },
];
const UNSTORABLE = new Set(["not UTF-8", "bytes of true"]);
const CASES = [...VALUES, ...SHAPES, ...WRAPPED].map((one) => ({
  ...one,
  wrapped: WRAPPED.includes(one) || UNSTORABLE.has(one.what),
}));
const nameOf = (what: string): string => what.replaceAll(/[^a-z0-9]+/gi, "-");

const documentOf = (what: string, fields: Fields): Buffer =>
  bson.documentBytes([["_id", text(what)], ...fields]);

const padding = documentOf("padding", [["t", text(PADDING)]]);

beforeAll(async () => {
  for (const [store, client, side] of [
    [pair.source, pair.from, "source"],
    [pair.target, pair.to, "target"],
  ] as const) {
    for (const { what, wrapped, [side]: fields } of CASES) {
      const bytes = documentOf(what, fields);
      if (wrapped) await client.db(DATABASE).collection(nameOf(what)).insertOne(rawDocument(bytes));
      else await plant(store.port, DATABASE, nameOf(what), [bytes, padding]);
      const [held] = await client
        .db(DATABASE)
        .collection(nameOf(what))
        .find({ _id: { $ne: "padding" } as object }, { raw: true })
        .toArray();
      expect(Buffer.from(held as unknown as Uint8Array).equals(bytes), `${what}, as it is held`).toBe(true);
    }
    const same = CASES.filter(({ wrapped }) => !wrapped).map(({ what, source }) => documentOf(what, source));
    await plant(store.port, DATABASE, "same", [...same, padding]);
  }
  return () => Promise.all([pair.from.db(DATABASE).dropDatabase(), pair.to.db(DATABASE).dropDatabase()]);
});

describe.each(TIERS)("look-alike documents when $name", ({ refusing, tier }) => {
  it("distinguishes any two documents that some way of comparing would call equal", async () => {
    refuseHashes(pair, refusing);
    const compared = await compare(pair, [], { database: DATABASE });
    expect(
      findings(compared)
        .map((found) => found.replaceAll('"', ""))
        .sort(),
    ).toEqual(CASES.map(({ what }) => `changed ${what}`).sort());
    expect(compared.code).toBe(1);
    expect(compared.summary).toMatchObject({ complete: true, exact: true, changed: CASES.length });
    expect(collectionOf(compared, "same")).toMatchObject({ verdict: "identical", tier, changed: 0 });
    for (const { what, wrapped } of CASES) {
      const collection = collectionOf(compared, nameOf(what));
      expect(collection, what).toMatchObject({ changed: 1, equal: wrapped ? 0 : 1 });
      if (!wrapped) expect(collection?.tier, what).toBe(tier);
    }
  });
});
