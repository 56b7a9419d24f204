import type { Db, Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { type Compared, compare } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Views that read from collections which have other names in the copy. */
const pair = serverPair();
const from = (): Db => pair.from.db(pair.database);
const to = (): Db => pair.to.db(pair.database);

interface Row {
  _id: number;
  [field: string]: unknown;
}

async function fill(): Promise<void> {
  const db = from();
  await db.collection<Row>("people").insertMany([
    { _id: 1, name: "Ada", boss: null, kind: "people" },
    { _id: 2, name: "Ben", boss: 1, kind: "robots" },
    { _id: 3, name: "Cyd", boss: 2, kind: "people" },
  ]);
  await db.collection<Row>("orders").insertMany([
    { _id: 10, by: 1, kind: "people" },
    { _id: 11, by: 3, kind: "robots" },
  ]);
}

const byId = { $sort: { _id: 1 } };
const own = { $lookup: { from: "people", localField: "by", foreignField: "_id", as: "people" } };
const others = { $unionWith: { coll: "people", pipeline: [{ $match: { kind: "people" } }] } };

/** Each reads the people from within the orders. */
const VIEWS: Readonly<Record<string, Document[]>> = {
  joined: [own, byId],
  deep: [
    {
      $lookup: {
        ...{ from: "orders", let: { by: "$by" }, as: "same" },
        pipeline: [{ $match: { $expr: { $eq: ["$by", "$$by"] } } }, own],
      },
    },
    byId,
  ],
  climbed: [
    {
      $graphLookup: {
        ...{ from: "people", startWith: "$by", connectFromField: "boss", connectToField: "_id" },
        as: "bosses",
      },
    },
    { $project: { by: 1, bosses: { $size: "$bosses" } } },
    byId,
  ],
  united: [{ $unionWith: "people" }, byId],
  "united in part": [others, byId],
  branched: [{ $facet: { people: [own, byId], all: [others, byId] } }],
  "by kind": [{ $match: { kind: "people" } }, byId],
};

async function rows(db: Db, view: string): Promise<readonly Document[]> {
  return await db.collection(view).find().toArray();
}

const RENAME = ["--rename", "people=persons"];

it("a view that reads a renamed collection anywhere in its pipeline shows the same in the copy as in the source", async () => {
  await fill();
  for (const [name, pipeline] of Object.entries(VIEWS))
    await from().createCollection(name, { viewOn: "orders", pipeline });
  await from().createCollection("on people", { viewOn: "people", pipeline: VIEWS.climbed ?? [] });
  await from().createCollection("on a view", { viewOn: "on people", pipeline: [own] });
  const copied = await pair.duplicate(...RENAME, "--rename", "on people=on persons");
  expect(copied.code, copied.stdout).toBe(0);
  for (const name of [...Object.keys(VIEWS), "on a view"]) {
    const expected = await rows(from(), name);
    expect(expected.length).toBeGreaterThan(0);
    expect([name, await rows(to(), name)]).toEqual([name, expected]);
  }
  const compared = await compare(pair, [...RENAME, "--rename", "on people=on persons"]);
  expect([compared.code, compared.differences], compared.stdout).toEqual([0, []]);
});

it("a view follows collections that exchange their names", async () => {
  await fill();
  await from().createCollection("joined", {
    viewOn: "orders",
    pipeline: [own, { $unionWith: "orders" }, byId],
  });
  const swapped = ["--rename", "people=orders", "--rename", "orders=people"];
  const copied = await pair.duplicate(...swapped);
  expect(copied.code, copied.stdout).toBe(0);
  expect(await rows(to(), "joined")).toEqual(await rows(from(), "joined"));
  expect((await compare(pair, swapped)).code).toBe(0);
});

describe("views that read from the new name of another collection", () => {
  const pipeline = [own, { $unionWith: "persons" }];

  it("an uncertain view is created, and named by the dry run, the copy and diff until it is accepted", async () => {
    await fill();
    await from().createCollection("odd", { viewOn: "orders", pipeline });
    const dry = await pair.duplicate(...RENAME, "--dry-run");
    expect([dry.code, dry.stdout]).toEqual([3, expect.stringContaining("option odd/pipeline: ")]);
    for (let run = 0; run < 2; run++) {
      const copied = await pair.duplicate(...RENAME);
      expect([copied.code, copied.stdout]).toEqual([3, expect.stringContaining("option odd/pipeline")]);
    }
    const [view] = await to().listCollections({ name: "odd" }).toArray();
    const followed = [{ $lookup: { ...own.$lookup, from: "persons" } }, { $unionWith: "persons" }];
    expect(view).toMatchObject({ options: { viewOn: "orders", pipeline: followed } });
    const compared = await compare(pair, RENAME);
    expect([compared.code, reported(compared)]).toEqual([12, ["! unreadable option odd/pipeline"]]);
    const accept = [...RENAME, "--accept", "option odd/pipeline"];
    expect((await pair.duplicate(...accept)).code).toBe(0);
    expect((await compare(pair, accept)).code).toBe(0);
  });

  it("an uncertain view is named once, even if the copy's definition differs", async () => {
    await fill();
    await from().createCollection("odd", { viewOn: "orders", pipeline });
    await to().createCollection("odd", { viewOn: "orders", pipeline: [] });
    expect((await pair.duplicate(...RENAME)).code).toBe(3);
    const compared = await compare(pair, RENAME);
    expect([compared.code, reported(compared)]).toEqual([12, ["! unreadable option odd/pipeline"]]);
    expect(compared.differences[0]?.detail).toMatch(/; source \[.*, target \[\]/);
  });

  it("a view that is defined on the new name of another collection is named", async () => {
    await fill();
    await from().createCollection("odd", { viewOn: "persons", pipeline: [] });
    const copied = await pair.duplicate(...RENAME);
    expect([copied.code, copied.stdout]).toEqual([3, expect.stringContaining("option odd/viewOn")]);
    const compared = await compare(pair, RENAME);
    expect([compared.code, reported(compared)]).toEqual([12, ["! unreadable option odd/viewOn"]]);
  });
});

function reported({ differences }: Compared): string[] {
  return differences.map(({ sigil, kind, key }) => `${sigil} ${kind} ${key}`);
}
