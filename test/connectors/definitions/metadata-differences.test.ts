import { Decimal128, type Document, Double, Int32, Long, serialize } from "bson";
import { describe, expect, it } from "vitest";
import { toOrdered } from "../../../src/bson/ordered.ts";
import type { CollectionInfo, Metadata } from "../../../src/connectors/collection.ts";
import { metadataDifferences } from "../../../src/connectors/definitions/metadata-differences.ts";
import type { DescribedPair } from "../../../src/connectors/powers/metadata.ts";

type AdoptionPreview = ReturnType<typeof metadataDifferences>;

function tree(document: Document): Metadata {
  return toOrdered(serialize(document));
}

function info(options: Document, others: Partial<CollectionInfo> = {}): CollectionInfo {
  const numbers = { ordered: true, documents: 5, bytes: 5 };
  const named = { name: "orders", kind: "collection", type: "collection" } as const;
  return { ...named, options: tree(options), ...numbers, ...others };
}

const VIEW = { kind: "definition", type: "view" } as const;

function compare(pair: Partial<DescribedPair>): AdoptionPreview {
  const none = { sourceIndexes: [], targetIndexes: [], renames: new Map() };
  return metadataDifferences({ source: info({}), target: info({}), ...none, ...pair });
}

function options(source: Document, target: Document): AdoptionPreview {
  return compare({ source: info(source), target: info(target) });
}

function indexes(source: readonly Document[], target: readonly Document[]): AdoptionPreview {
  return compare({ sourceIndexes: source.map(tree), targetIndexes: target.map(tree) });
}

function index(others: Document): Document {
  return { v: 2, key: { a: 1 }, name: "a_1", ...others };
}

describe("options of metadataDifferences", () => {
  it.each<[string, Document, Document]>([
    ["no validator and an empty one", {}, { validator: {}, validationLevel: "strict" }],
    ["no action and the default one", { validationAction: "error" }, {}],
    ["images that are off", {}, { changeStreamPreAndPostImages: { enabled: false } }],
    ["the simple collation", { collation: { locale: "simple" } }, {}],
    ["sizes as servers round them", { capped: true, size: 5 }, { capped: true, size: 4096 }],
    ["sizes of other types", { capped: true, size: 99_900 }, { capped: true, size: new Double(100_096) }],
    ["seconds of other types", { expireAfterSeconds: 60 }, { expireAfterSeconds: Long.fromNumber(60) }],
    [
      "numbers in a validator",
      { validator: { n: { $gt: 1 } } },
      { validator: { n: { $gt: new Double(1) } } },
    ],
    ["another order of options", { capped: true, size: 4096, max: 5 }, { max: 5, size: 4096, capped: true }],
  ])("treats options as equal: %s", (_, source, target) => {
    expect(options(source, target)).toEqual([]);
    expect(options(target, source)).toEqual([]);
  });

  it.each<[string, Document, Document, AdoptionPreview]>([
    [
      "another validator",
      { validator: { n: { $gt: 1 } } },
      { validator: { n: { $gt: 2 } } },
      [
        {
          key: "option orders/validator",
          sigil: "*",
          detail: 'source {"n":{"$gt":1}}, target {"n":{"$gt":2}}',
        },
      ],
    ],
    [
      "options that one side lacks, sorted",
      { validationLevel: "moderate" },
      { capped: true, size: 4096 },
      [
        { key: "option orders/capped", sigil: "-", detail: "source absent, target true" },
        { key: "option orders/size", sigil: "-", detail: "source absent, target 4096" },
        { key: "option orders/validationLevel", sigil: "+", detail: 'source "moderate", target absent' },
      ],
    ],
    [
      "the order of fields in a validator",
      { validator: { a: 1, b: 1 } },
      { validator: { b: 1, a: 1 } },
      [{ key: "option orders/validator", sigil: "*", detail: 'source {"a":1,"b":1}, target {"b":1,"a":1}' }],
    ],
    [
      "a size beyond the rounding",
      { capped: true, size: 4096 },
      { capped: true, size: 4097 },
      [{ key: "option orders/size", sigil: "*", detail: "source 4096, target 4097" }],
    ],
    [
      "a number of another type in a pipeline",
      { viewOn: "a", pipeline: [{ $set: { n: new Int32(1) } }] },
      { viewOn: "a", pipeline: [{ $set: { n: Long.fromNumber(1) } }] },
      [
        {
          key: "option orders/pipeline",
          sigil: "*",
          detail: 'source [{"$set":{"n":{"$numberInt":"1"}}}], target [{"$set":{"n":{"$numberLong":"1"}}}]',
        },
      ],
    ],
  ])("reports a difference in options: %s", (_, source, target, expected) => {
    expect(options(source, target)).toEqual(expected);
  });

  it("follows a view to its renamed collection, and names it as the target does", () => {
    const renames = new Map([
      ["orders", "orders2"],
      ["base", "base2"],
    ]);
    const source = info({ viewOn: "base", pipeline: [] }, VIEW);
    const view = (viewOn: string): CollectionInfo =>
      info({ viewOn, pipeline: [] }, { ...VIEW, name: "orders2" });
    expect(compare({ source, target: view("base2"), renames })).toEqual([]);
    expect(compare({ source, target: view("base"), renames })).toEqual([
      { key: "option orders2/viewOn", sigil: "*", detail: 'source "base2", target "base"' },
    ]);
  });

  it("reports an option that is uncertain under the new names once, whether or not it is the same in the copy", () => {
    const renames = new Map([["people", "persons"]]);
    const unknown = [{ $later: "people" }];
    const view = (pipeline: Document[]): CollectionInfo => info({ viewOn: "a", pipeline }, VIEW);
    const doubt = "its stage $later contains the name people, which may mean what is persons in the copy";
    expect(compare({ source: view(unknown), target: view(unknown), renames })).toEqual([
      { key: "option orders/pipeline", sigil: "!", detail: doubt },
    ]);
    expect(compare({ source: view(unknown), target: view([]), renames })).toEqual([
      {
        key: "option orders/pipeline",
        sigil: "!",
        detail: `${doubt}; source [{"$later":"people"}], target []`,
      },
    ]);
  });

  it("reports a collection that one side lacks or has as another kind, and nothing else of it", () => {
    const capped = info({ capped: true, size: 4096 }, { kind: "sequence", type: "capped" });
    expect(compare({ target: capped })).toEqual([
      { key: "collection orders", sigil: "*", detail: "kind: source collection, target capped" },
    ]);
  });

  it("cuts long texts around the place where they begin to differ", () => {
    const validator = (end: string): Document => ({ validator: { [`${"\u{1f600}".repeat(300)}${end}`]: 1 } });
    const [found] = options(validator("a"), validator("b"));
    expect(found?.detail).toMatch(/^source …(\u{1f600})+a":1\}, target …(\u{1f600})+b":1\}$/u);
    expect(found?.detail.length).toBeLessThan(200);
    const [alone] = options(validator("a"), {});
    expect(alone?.detail).toMatch(/^source \{"(\u{1f600})+…, target absent$/u);
  });
});

describe("indexes of metadataDifferences", () => {
  it.each<[string, Document, Document]>([
    ["numbers of other types in a key", index({}), index({ key: { a: new Double(1) } })],
    ["a long in a key", index({ key: { a: Long.fromNumber(-1) } }), index({ key: { a: -1 } })],
    ["flags that are off", index({ unique: false, sparse: new Int32(0) }), index({})],
    ["flags kept as numbers", index({ unique: new Double(1) }), index({ unique: true })],
    [
      "seconds that stand for never",
      index({ expireAfterSeconds: NaN }),
      index({ expireAfterSeconds: 2 ** 31 - 1 }),
    ],
    [
      "seconds of other types",
      index({ expireAfterSeconds: 60 }),
      index({ expireAfterSeconds: Decimal128.fromString("60.0") }),
    ],
    ["another order of parts", { name: "a_1", key: { a: 1 }, v: 2 }, index({})],
  ])("treats indexes as equal: %s", (_, source, target) => {
    expect(indexes([source], [target])).toEqual([]);
    expect(indexes([target], [source])).toEqual([]);
  });

  it("reports what differs within an index part by part", () => {
    const source = index({ unique: true, key: { a: 1, b: 1 } });
    const target = index({ key: { b: 1, a: 1 }, sparse: true });
    expect(indexes([source], [target])).toEqual([
      {
        key: "index orders/a_1",
        sigil: "*",
        detail:
          'key: source {"a":1,"b":1}, target {"b":1,"a":1}; unique: source true, target absent; sparse: source absent, target true',
      },
    ]);
    const partial = (n: unknown): Document => index({ partialFilterExpression: { n: { $gt: n } } });
    expect(indexes([partial(1)], [partial(2)])[0]?.detail).toBe(
      'partialFilterExpression: source {"n":{"$gt":1}}, target {"n":{"$gt":2}}',
    );
    expect(indexes([partial(1)], [partial(new Double(1))])).toEqual([]);
  });

  it("reports indexes that one side lacks, sorted by name", () => {
    expect(
      indexes([index({ name: "z" }), index({})], [index({ name: "m", hidden: true }), index({})]),
    ).toEqual([
      { key: "index orders/m", sigil: "-", detail: 'only in the target: {"key":{"a":1},"hidden":true}' },
      { key: "index orders/z", sigil: "+", detail: 'only in the source: {"key":{"a":1}}' },
    ]);
  });
});
