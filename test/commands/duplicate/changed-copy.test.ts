import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { dualsync } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Copies of a MongoDB database that dualsync made, and that others have written to since. */
const pair = serverPair();

type Numbered = { _id: number; n: number; updatedAt?: Date };
const source = () => pair.from.db(pair.database).collection<Numbered>("orders");
const copy = () => pair.to.db(pair.database).collection<Numbered>("orders");
const savedBy = (stdout: string): string | undefined =>
  /replaced or removed: dualsync undo ([0-9a-f]{8})/.exec(stdout)?.[1];

it("a document that was changed in the copy is saved before it is replaced, and a newer one is kept", async () => {
  const at = (day: number): Date => new Date(Date.UTC(2026, 0, day));
  await source().insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id, n: 0, updatedAt: at(1) })));
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  await copy().updateOne({ _id: 7 }, { $set: { n: 77 } });
  await copy().updateOne({ _id: 8 }, { $set: { n: 88, updatedAt: at(3) } });
  await source().updateOne({ _id: 8 }, { $set: { n: 1, updatedAt: at(2) } });
  await source().updateOne({ _id: 9 }, { $set: { n: 1, updatedAt: at(2) } });
  const { code, stdout } = await pair.run(["duplicate"], cwd);
  expect(code, stdout).toBe(3);
  expect(stdout).toMatch(/document orders\/8: the copy is newer by updatedAt and was kept/);
  const held = await copy()
    .find({ _id: { $in: [7, 8, 9] } })
    .sort({ _id: 1 })
    .toArray();
  expect(held.map(({ n }) => n)).toEqual([0, 88, 1]);
  expect((await pair.run(["diff"], cwd)).stdout).toMatch(/Different: 1 changed/);
  const env = { COPY: withDatabase(pair.target.uri, pair.database) };
  const undone = await dualsync(["undo", String(savedBy(stdout)), "--to", "env:COPY", "--yes"], { env, cwd });
  expect([undone.code, (await copy().findOne({ _id: 7 }))?.n], undone.stdout + undone.stderr).toEqual([
    0, 77,
  ]);
});

it("--newer-by warns when no document has such a date, and rejects an empty name", async () => {
  await source().insertMany([1, 2].map((_id) => ({ _id, n: 0, updatedAt: new Date(0) })));
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  const again = async (field: string) => {
    await source().updateOne({ _id: 1 }, { $inc: { n: 1 } });
    return await pair.run(["duplicate", "--newer-by", field], cwd);
  };
  const misspelt = await again("updatd_at");
  expect([misspelt.code, misspelt.stdout + misspelt.stderr]).toEqual([
    0,
    expect.stringMatching(/--newer-by "updatd_at": no document that differs has a date in this field/),
  ]);
  const known = await again("updatedAt");
  expect([known.code, known.stdout + known.stderr]).toEqual([0, expect.not.stringMatching(/--newer-by/)]);
  expect((await again("")).code).toBe(2);
});

it.each(["capped", "timeseries"] as const)(
  "a changed %s collection is copied again as a whole unless others have written to its copy",
  async (kind) => {
    const options =
      kind === "capped"
        ? { capped: true, size: 100_000 }
        : { timeseries: { timeField: "at", metaField: "place" } };
    const event = (n: number) => ({ at: new Date(n), place: "hall", n });
    await pair.from.db(pair.database).createCollection("events", options);
    const events = (client: typeof pair.from) => client.db(pair.database).collection("events");
    await events(pair.from).insertMany([event(1), event(2)]);
    expect((await pair.duplicate()).code).toBe(0);
    await events(pair.from).insertOne(event(3));
    const grown = await pair.duplicate();
    expect([grown.code, await events(pair.to).countDocuments()], grown.stdout).toEqual([0, 3]);
    // As an older version leaves it.
    const own = pair.to.db(pair.database).collection<{ _id: string }>("_dualsync");
    expect((await own.deleteMany({ _id: /^checksums / })).deletedCount).toBe(1);
    await events(pair.from).insertOne(event(3));
    const renewed = await pair.duplicate();
    expect([renewed.code, await events(pair.to).countDocuments()], renewed.stdout).toEqual([0, 4]);
    await events(pair.to).insertOne(event(99));
    await events(pair.from).insertMany([event(4), event(5)]);
    const refused = await pair.duplicate();
    expect(refused.code, refused.stdout).toBe(3);
    expect(refused.stdout).toMatch(/collection events: .* has changed since it was copied/);
    expect(await events(pair.to).countDocuments()).toBe(5);
  },
);
