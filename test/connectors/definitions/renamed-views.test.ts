import { BSONSymbol, Code, type Document, Int32, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../src/bson/elements.ts";
import { RawValue } from "../../../src/bson/leaf.ts";
import { toOrdered } from "../../../src/bson/ordered.ts";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { renamed } from "../../../src/connectors/definitions/renamed.ts";
import { runs } from "../../support/runs.ts";

type Tree = ReadonlyMap<string, unknown>;

const RENAMES = new Map([
  ["people", "persons"],
  ["left", "right"],
  ["right", "left"],
]);

function tree(document: Document): Tree {
  return toOrdered(serialize(document));
}

function view(options: Tree, name = "v"): CollectionInfo {
  return { name, kind: "definition", type: "view", options, ordered: true, documents: 0, bytes: 0 };
}

/** The view's options in the copy, and the options that are not certain. */
function follow(options: Tree, renames: ReadonlyMap<string, string> = RENAMES): [Tree, string[]] {
  const { info, uncertain } = renamed(view(options), renames);
  return [info.options, [...uncertain.keys()]];
}

function pipeline(...stages: Document[]): Tree {
  return tree({ viewOn: "orders", pipeline: stages });
}

function uncertainty(...stages: unknown[]): string | undefined {
  const options = new Map<string, unknown>([["pipeline", stages]]);
  const { info, uncertain } = renamed(view(options), RENAMES);
  expect(info.options).toEqual(options);
  return uncertain.get("pipeline");
}

describe("views of renamed collections", () => {
  it("leaves a view unchanged when nothing is renamed", () => {
    const info = view(pipeline({ $lookup: { from: "people" } }));
    expect(renamed(info, new Map())).toEqual({ info, uncertain: new Map() });
  });

  it("renames a view and the collection that it is defined on", () => {
    const { info, uncertain } = renamed(view(tree({ viewOn: "people", pipeline: [] }), "left"), RENAMES);
    expect([info.name, info.options, uncertain.size]).toEqual([
      "right",
      tree({ viewOn: "persons", pipeline: [] }),
      0,
    ]);
  });

  it.each<[string, Document, Document]>([
    [
      "$lookup",
      { $lookup: { as: "people", from: "people", localField: "people", foreignField: "people" } },
      { $lookup: { as: "people", from: "persons", localField: "people", foreignField: "people" } },
    ],
    [
      "the pipeline of $lookup",
      {
        $lookup: {
          let: { a: "people" },
          pipeline: [{ $match: { a: "people" } }, { $unionWith: "left" }],
          as: "a",
        },
      },
      {
        $lookup: {
          let: { a: "people" },
          pipeline: [{ $match: { a: "people" } }, { $unionWith: "right" }],
          as: "a",
        },
      },
    ],
    [
      "$graphLookup",
      {
        $graphLookup: {
          from: "left",
          startWith: "people",
          as: "left",
          restrictSearchWithMatch: { a: "left" },
        },
      },
      {
        $graphLookup: {
          from: "right",
          startWith: "people",
          as: "left",
          restrictSearchWithMatch: { a: "left" },
        },
      },
    ],
    ["$unionWith with a name", { $unionWith: "right" }, { $unionWith: "left" }],
    [
      "$unionWith with a pipeline",
      { $unionWith: { coll: "people", pipeline: [{ $unionWith: { coll: "left" } }] } },
      { $unionWith: { coll: "persons", pipeline: [{ $unionWith: { coll: "right" } }] } },
    ],
    [
      "the branches of $facet",
      { $facet: { people: [{ $unionWith: "people" }], left: [{ $count: "people" }], none: [] } },
      { $facet: { people: [{ $unionWith: "persons" }], left: [{ $count: "people" }], none: [] } },
    ],
    [
      "$rankFusion",
      {
        $rankFusion: {
          input: { pipelines: { people: [{ $unionWith: "people" }] } },
          combination: { weights: { people: 1 } },
        },
      },
      {
        $rankFusion: {
          input: { pipelines: { people: [{ $unionWith: "persons" }] } },
          combination: { weights: { people: 1 } },
        },
      },
    ],
    [
      "$scoreFusion",
      { $scoreFusion: { input: { pipelines: { a: [{ $unionWith: "people" }] }, normalization: "none" } } },
      { $scoreFusion: { input: { pipelines: { a: [{ $unionWith: "persons" }] }, normalization: "none" } } },
    ],
    [
      "the name of a time series' bucket collection",
      { $lookup: { from: "system.buckets.people", as: "a" } },
      { $lookup: { from: "system.buckets.persons", as: "a" } },
    ],
  ])("applies renames in %s", (_what, source, expected) => {
    expect(follow(pipeline(source))).toEqual([pipeline(expected), []]);
  });

  it.each<[string, Document]>([
    ["compared values", { $match: { kind: "people", $expr: { $eq: ["$kind", "people"] } } }],
    ["names of fields", { $unset: "people" }],
    ["the name of a count", { $count: "people" }],
    ["literal documents", { $documents: [{ people: "people" }] }],
    ["the index of a search", { $search: { index: "people", text: { path: "people", query: "people" } } }],
    ["names of other collections", { $lookup: { from: "orders", as: "people" } }],
    ["an unknown stage without a renamed name", { $later: { from: "peoples", n: 1 } }],
  ])("keeps %s in a pipeline", (_what, stage) => {
    expect(follow(pipeline(stage))).toEqual([pipeline(stage), []]);
  });

  it.each<[string, Document]>([
    ["a name in an unknown stage", { $later: { deep: [{ from: "people" }] } }],
    ["a field name in an unknown stage", { $later: { people: 1 } }],
    ["a collection of another database", { $lookup: { from: { db: "hr", coll: "people" }, as: "a" } }],
    ["an unknown field of $unionWith", { $unionWith: { db: "hr", coll: "people" } }],
    ["a branch that is not a pipeline", { $facet: { a: { $unionWith: "people" } } }],
    ["two stages in one", { $match: {}, $unionWith: "people" }],
    ["a symbol as the name", { $unionWith: new BSONSymbol("people") }],
    ["code with the name", { $later: new Code("db.people.find()") }],
    ["the new name of a collection in an unknown stage", { $later: "persons" }],
    ["a bucket collection's name in an unknown stage", { $later: "system.buckets.people" }],
  ])("leaves a pipeline unchanged and calls it uncertain because of %s", (_what, stage) => {
    expect(uncertainty(...(pipeline(stage).get("pipeline") as unknown[]))).toMatch(/people/);
    const inner = pipeline({ $lookup: { from: "orders", pipeline: [stage], as: "a" } });
    expect(uncertainty(...(inner.get("pipeline") as unknown[]))).toMatch(/people/);
  });

  it("calls a pipeline uncertain when it has unreadable bytes that contain a renamed name", () => {
    const raw = (text: string): RawValue => new RawValue(TYPE.array, Buffer.from(`\xff${text}\0`, "latin1"));
    expect(uncertainty(raw("people"))).toMatch(/people/);
    expect(uncertainty(new Map([["$facet", new Map([["a", raw("people")]])]]))).toMatch(/its stage \$facet/);
    expect(uncertainty(raw("peuple"))).toBeUndefined();
    expect(follow(new Map([["pipeline", raw("people")]]))[1]).toEqual(["pipeline"]);
  });

  it("calls a view uncertain when it reads from the new name of another collection", () => {
    const stages = pipeline({ $lookup: { from: "persons", as: "a" } }).get("pipeline") as unknown[];
    expect(uncertainty(...stages)).toBe("it reads from persons, which in the copy is the source's people");
    expect(follow(tree({ viewOn: "persons", pipeline: [] }))).toEqual([
      tree({ viewOn: "persons", pipeline: [] }),
      ["viewOn"],
    ]);
  });

  it("applies the certain renames of a pipeline beside uncertain ones", () => {
    const options = pipeline({ $unionWith: "people" }, { $later: "people" }, { $unionWith: "left" });
    expect(follow(options)).toEqual([
      pipeline({ $unionWith: "persons" }, { $later: "people" }, { $unionWith: "right" }),
      ["pipeline"],
    ]);
  });

  it("limits the length of the reason for uncertainty, however many stages there are", () => {
    const stages = Array.from({ length: 1_000 }, (_, n) => new Map([[`$later${n}`, "people"]]));
    expect(uncertainty(...stages)?.length).toBeLessThan(1_100);
  });
});

it("encrypted fields are uncertain when the collection that a server keeps for them is renamed", () => {
  const options = tree({ encryptedFields: { escCollection: "enxcol_.people.esc", fields: [] } });
  expect(follow(options)[1]).toEqual([]);
  expect(follow(options, new Map([["enxcol_.people.esc", "e"]]))).toEqual([options, ["encryptedFields"]]);
});

/** Builds the same thing with the names that are given for the collections 0, 1, 2… */
type Template = (names: readonly string[]) => Document;

const OLD = ["people", "orders", "left", "right", "a.b"];
const NEW = ["persons", "orders", "right", "left", "people"];

const collection = fc.integer({ min: 0, max: OLD.length - 1 });
/** What looks like a collection, and is none. */
const text = fc.constantFrom(...OLD, ...NEW, "other");
const free = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    text,
    fc.integer().map((n) => new Int32(n)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(text, tie("value"), { maxKeys: 3 }),
  ),
})).value;
const nameless = fc
  .tuple(fc.constantFrom("$match", "$set", "$group", "$unset", "$documents", "$search", "$count"), free)
  .map(
    ([name, value]): Template =>
      () => ({ [name]: value }),
  );

const stages = fc.letrec<{ stage: Template; pipeline: (names: readonly string[]) => Document[] }>((tie) => ({
  pipeline: fc
    .array(tie("stage"), { maxLength: 4, depthIdentifier: "pipeline" })
    .map((all) => (names) => all.map((build) => build(names))),
  stage: fc.oneof(
    { depthSize: "small", depthIdentifier: "pipeline" },
    nameless,
    collection.map(
      (at): Template =>
        (names) => ({ $unionWith: names[at] }),
    ),
    fc.tuple(text, free, collection).map(
      ([as, startWith, at]): Template =>
        (names) => ({ $graphLookup: { as, startWith, from: names[at] } }),
    ),
    fc.tuple(collection, tie("pipeline")).map(
      ([at, build]): Template =>
        (names) => ({ $unionWith: { pipeline: build(names), coll: names[at] } }),
    ),
    fc.tuple(collection, text, free, tie("pipeline")).map(
      ([at, as, variables, build]): Template =>
        (names) => ({ $lookup: { from: names[at], let: variables, pipeline: build(names), as } }),
    ),
    fc.dictionary(text, tie("pipeline"), { maxKeys: 3 }).map(
      (branches): Template =>
        (names) => ({ $facet: built(branches, names) }),
    ),
    fc
      .tuple(
        fc.constantFrom("$rankFusion", "$scoreFusion"),
        fc.dictionary(text, tie("pipeline"), { maxKeys: 2 }),
        free,
      )
      .map(
        ([name, branches, combination]): Template =>
          (names) => ({ [name]: { input: { pipelines: built(branches, names) }, combination } }),
      ),
  ),
}));

function built(
  branches: Readonly<Record<string, (names: readonly string[]) => Document[]>>,
  names: readonly string[],
): Document {
  return Object.fromEntries(Object.entries(branches).map(([name, build]) => [name, build(names)]));
}

it("a pipeline of known stages becomes what it would be if it had been written with the new names", () => {
  const renames = new Map(
    OLD.map((old, at) => [old, NEW[at] ?? ""] as const).filter(([from, to]) => from !== to),
  );
  fc.assert(
    fc.property(stages.pipeline, collection, (build, on) => {
      const named = (names: readonly string[]) => tree({ viewOn: names[on], pipeline: build(names) });
      const [options, uncertain] = follow(named(OLD), renames);
      expect(uncertain).toEqual([]);
      // The order of fields counts.
      expect(Buffer.from(serialize(options))).toEqual(Buffer.from(serialize(named(NEW))));
    }),
    { numRuns: runs(1_000), seed: 20_260_801 },
  );
});

it("an unknown stage that holds a renamed name makes its pipeline uncertain at any depth", () => {
  const changing = fc.constantFrom(...RENAMES.keys(), "persons");
  fc.assert(
    fc.property(
      changing,
      fc.array(fc.constantFrom("$lookup", "$unionWith", "$facet"), { maxLength: 5 }),
      (name, path) => {
        const stage = path.reduce<Document>(
          (inner, outer) => {
            if (outer === "$facet") return { $facet: { a: [{ $match: {} }, inner] } };
            return { [outer]: { pipeline: [inner] } };
          },
          { $later: { within: [name] } },
        );
        expect(follow(pipeline(stage))).toEqual([pipeline(stage), ["pipeline"]]);
      },
    ),
  );
});
