import type { Db } from "mongodb";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import type { FaultRule } from "../../services/wire-proxy/faults/faults.ts";
import { type CliResult, collectionRecord, dualsync, records } from "../../support/cli.ts";
import { contents, snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** What a server refuses of one collection, view, index or option is named; all others are copied and verified. */
const pair = serverPair({}, {}, {});
const from = (): Db => pair.from.db(pair.database);

/** Nothing is tried again: what is refused is refused. */
function run(command: string, ...flags: string[]): Promise<CliResult> {
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
    SYNC_MAX_RETRIES: "0",
  };
  return dualsync([command, "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags], { env });
}

/** Two collections and their views, whole in every way, around odd ones. */
async function fillOthers(): Promise<void> {
  for (const name of ["a", "z"]) {
    await from()
      .collection<{ _id: number }>(name)
      .insertMany([{ _id: 1 }, { _id: 2 }]);
    await from().collection(name).createIndex({ n: 1 });
    await from().createCollection(`${name} view`, { viewOn: name, pipeline: [{ $match: { _id: 1 } }] });
  }
}

async function expectOthers({ stdout }: CliResult, verdict = "verified"): Promise<void> {
  for (const name of ["a", "z"]) expect(collectionRecord(stdout, name), name).toMatchObject({ verdict });
  const isOther = ([name]: readonly [string, unknown]) => !name.startsWith("odd");
  const others = Object.entries(await snapshot(pair.from, pair.database)).filter(isOther);
  expect(others.map(([name]) => name).sort()).toEqual(["a", "a view", "z", "z view"]);
  const copied = Object.entries(await snapshot(pair.to, pair.database)).filter(isOther);
  expect(Object.fromEntries(copied)).toEqual(Object.fromEntries(others));
}

type Make = (db: Db, name: string) => Promise<unknown>;

const plain: Make = (db, name) => db.collection<{ _id: number }>(name).insertMany([{ _id: 1 }, { _id: 2 }]);
const indexed: Make = async (db, name) => {
  await plain(db, name);
  await db.collection(name).createIndex({ n: 1 }, { name: "n" });
};
const validated: Make = async (db, name) => {
  await db.createCollection(name, { validator: { n: 1 }, validationLevel: "moderate" });
};
const empty: Make = (db, name) => db.createCollection(name);
const view: Make = (db, name) => db.createCollection(name, { viewOn: "a", pipeline: [] });
const series: Make = async (db, name) => {
  const readings = await db.createCollection(name, { timeseries: { timeField: "at", metaField: "m" } });
  await readings.insertOne({ at: new Date(0), m: 1 });
};
const capped: Make = async (db, name) => {
  const log = await db.createCollection(name, { capped: true, size: 10_000 });
  await log.insertOne({ n: 1 });
};

interface Refused {
  readonly name: string;
  readonly make: Make;
  readonly on: FaultRule["on"];
  readonly codes: readonly number[];
  readonly side?: "sourceProxy";
  /** What is named of a collection; by default that it is not copied. */
  readonly key?: (name: string) => string;
  /** What comparing names, where that is something else. */
  readonly differs?: (name: string) => readonly string[];
  /** The target has it from an earlier night, and the source has changed since. */
  readonly later?: Make;
  /** Of `duplicate`, so that it sends the command at all. */
  readonly flags?: readonly string[];
}

/** Codes of servers for what is the matter with one thing: options, names, stages, kinds, limits, rights, plans. */
const CODES = [2, 13, 26, 72, 73, 8000];
const OF_VIEWS = [5, 166, 167, 40_324];
/** Those with a meaning of their own for documents and listings left out. */
const TIME_LIMIT = 50;
const OF_READING = [13, 96, 8000];
const more: Make = (db, name) => db.collection(name).insertOne({ at: new Date(1), n: 2 });

const REFUSED: readonly Refused[] = [
  { name: "a view that is not created", make: view, on: "create", codes: [...CODES, ...OF_VIEWS] },
  { name: "a collection that is not created", make: plain, on: "create", codes: CODES },
  { name: "a collection with options that is not created", make: validated, on: "create", codes: CODES },
  { name: "a time-series that is not created", make: series, on: "create", codes: CODES },
  { name: "a capped collection that is not created", make: capped, on: "create", codes: CODES },
  {
    ...{ name: "a capped collection that is not replaced", make: capped, later: more },
    ...{ on: "drop", codes: CODES },
  },
  {
    ...{ name: "an index that is not built", make: indexed, key: (name) => `index ${name}/n` },
    ...{ on: "createIndexes", codes: [...CODES, 85, 86, 11_000] },
  },
  {
    ...{ name: "a collection whose indexes are not listed in the target", make: indexed },
    ...{ on: "listIndexes", codes: OF_READING },
  },
  {
    ...{ name: "a collection whose indexes are not listed in the source", make: indexed },
    ...{ on: "listIndexes", codes: OF_READING, side: "sourceProxy" },
  },
  {
    ...{ name: "a collection that cannot be read in the source", make: plain },
    ...{ on: "find", codes: [...OF_READING, TIME_LIMIT], side: "sourceProxy" },
  },
  {
    ...{ name: "a collection that cannot be read in the target", make: plain, later: more },
    ...{ on: "find", codes: [...OF_READING, TIME_LIMIT] },
  },
  {
    ...{ name: "a collection that cannot be counted in the source", make: plain, differs: () => [] },
    flags: ["--verify", "counts"],
    ...{ on: "aggregate", codes: OF_READING, side: "sourceProxy" },
  },
  {
    ...{ name: "a collection that cannot be counted in the target", make: plain, differs: () => [] },
    flags: ["--verify", "counts"],
    ...{ on: "aggregate", codes: OF_READING },
  },
  {
    ...{ name: "an empty collection without statistics that cannot be counted", make: empty },
    ...{ on: ["collStats", "aggregate"], codes: OF_READING, side: "sourceProxy" },
  },
  {
    ...{ name: "a collection that is not written", make: plain, on: "insert", codes: OF_READING },
    differs: (name) => [`document ${name}/1`, `document ${name}/2`],
  },
];

it.each(REFUSED.map((refused) => [refused.name, refused] as const))(
  "%s is named with the server's code, and all else is copied",
  { timeout: 120_000 },
  async (_name, refused) => {
    const { make, on, codes, side = "targetProxy", later, flags = [] } = refused;
    const { key = (name) => `collection ${name}`, differs = (name) => [key(name)] } = refused;
    await fillOthers();
    const named = new Map(codes.map((code) => [`odd ${code}`, code]));
    for (const name of named.keys()) await make(from(), name);
    if (later !== undefined) {
      expect((await run("duplicate")).code).toBe(0);
      for (const name of named.keys()) await later(from(), name);
    }
    for (const [collection, code] of named) pair[side].fail({ on, collection, every: 1, error: error(code) });
    const copied = await run("duplicate", ...flags);
    const said = records(copied.stdout).filter(({ type }) => type === "item");
    const reasons = new Map(said.map((item) => [item.key, item.reason]));
    const keys = [...named.keys()].map(key).sort();
    expect([copied.code, [...reasons.keys()].sort()], copied.stdout + copied.stderr).toEqual([3, keys]);
    for (const [name, code] of named) expect(reasons.get(key(name))).toMatch(reasonOf(code));
    await expectOthers(copied, flags.length === 0 ? "verified" : "counts match");
    const compared = await run("diff", "--settle", "0.2");
    const different = [...named.keys()].flatMap(differs).sort();
    expect(different.length === 0 ? [0] : [1, 12]).toContain(compared.code);
    const found = records(compared.stdout).filter(({ type }) => type === "diff");
    expect(found.map((difference) => difference.key).sort()).toEqual(different);
    for (const { stdout, stderr } of [copied, compared])
      expect(stdout + stderr).not.toContain("secret words");
    pair[side].calm();
    expect((await run("duplicate")).code).toBe(0);
  },
);

function error(code: number): NonNullable<FaultRule["error"]> {
  return { code, codeName: "Refused", errmsg: "secret words of the server" };
}

/** What a user may not do, and what breaks a unique index, has sentences of its own. */
function reasonOf(code: number): RegExp {
  if (code === 13) return /not authorized|code 13/;
  return code === 11_000 ? /is unique/ : new RegExp(`code ${code}\\b`);
}

it("a right that is missing for every collection ends the run with 8", async () => {
  await fillOthers();
  const fault = pair.targetProxy.fail({ on: "create", every: 1, error: error(13) });
  const copied = await run("duplicate");
  expect([copied.code, copied.stderr]).toEqual([
    8,
    expect.stringMatching(/not authorized to create [az] at/),
  ]);
  fault.cancel();
  expect((await run("duplicate")).code).toBe(0);
  for (const collection of ["a", "z"])
    pair.targetProxy.fail({ on: "listIndexes", collection, every: 1, error: error(13) });
  // Its views can still be compared.
  expect((await run("diff")).code).toBe(12);
  for (const name of ["a view", "z view"]) await from().collection(name).drop();
  expect((await run("diff", "--include", "?")).code).toBe(8);
});

it("a collection of the target that cannot be counted is not written to", async () => {
  await fillOthers();
  await plain(from(), "odd");
  await pair.to
    .db(pair.database)
    .collection<{ _id: number }>("odd")
    .insertOne({ _id: 1, theirs: true } as never);
  const before = await contents(pair.to, pair.database, "odd");
  pair.targetProxy.fail({ on: ["collStats", "aggregate"], collection: "odd", every: 1, error: error(96) });
  const copied = await run("duplicate");
  expect([copied.code, copied.stdout]).toEqual([
    3,
    expect.stringMatching(/in the target: Could not count odd/),
  ]);
  await expectOthers(copied);
  expect(await contents(pair.to, pair.database, "odd")).toEqual(before);
});
