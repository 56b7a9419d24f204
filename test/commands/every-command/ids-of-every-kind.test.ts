import fc from "fast-check";
import { Decimal128, Long } from "mongodb";
import { describe, expect, it } from "vitest";
import { type MongodbSession, mongodb } from "../../../src/connectors/mongodb/mongodb.ts";
import { Batch, type Doc } from "../../../src/model/document.ts";
import type { BsonValue } from "../../bson/bson-bytes.ts";
import * as bson from "../../bson/bson-bytes.ts";
import { acceptedId } from "../../bson/id-arbitraries.ts";
import { anyNumber, numberNearLimit } from "../../bson/number-arbitraries.ts";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { collectionRecord } from "../../support/cli.ts";
import { collectionOf, compare } from "../../support/compared.ts";
import { rawDoc } from "../../support/data/documents.ts";
import { never } from "../../support/signal.ts";
import { sessionOf } from "../../support/stores/claimed.ts";
import { serverPair } from "../../support/stores/pair.ts";

const LONG = process.env.DUALSYNC_TEST_LONG === "1";
const COUNT = LONG ? 20_000 : 600;
const SEED = 20_261_129;

const pair = serverPair();

const document = (id: BsonValue, n: number): Doc =>
  rawDoc(
    bson.documentBytes([
      ["_id", id],
      ["n", bson.int32(n)],
    ]),
  );

/** Writes past the program's commands, as no driver could. */
async function write(uri: string, work: (session: MongodbSession) => Promise<unknown>): Promise<void> {
  const options = { database: pair.database, role: "target", label: "test" } as const;
  const store = await mongodb({ uri: withDatabase(uri, pair.database), ...options }, never);
  try {
    const session = await sessionOf(store);
    await work(session);
    await session.release();
  } finally {
    await store.close();
  }
}

async function fill(uri: string, ids: readonly BsonValue[], n: number): Promise<void> {
  const documents = Batch.of(ids.map((id) => document(id, n)));
  await write(uri, (session) => session.write("odd", documents, "replace", never));
}

async function remove(uri: string, ids: readonly BsonValue[]): Promise<void> {
  const gone = ids.map((id) => document(id, 1).id);
  await write(uri, (session) => session.remove("odd", gone, never));
}

function sample(arbitrary: fc.Arbitrary<BsonValue>): readonly BsonValue[] {
  const ids = fc.sample(arbitrary, { seed: SEED, numRuns: COUNT });
  return [...new Map(ids.map((id) => [document(id, 1).id.key, id])).values()];
}

describe("documents with ids of every kind", () => {
  it("diff ends for two numbers that a server cannot be asked for together", async () => {
    const ids = [Long.MIN_VALUE, Decimal128.fromString("9007199254740993.5")];
    await pair.from
      .db(pair.database)
      .collection<{ _id: unknown }>("odd")
      .insertMany(ids.map((_id) => ({ _id })));
    await pair.to.db(pair.database).createCollection("odd");
    const compared = await compare(pair);
    expect(compared.code, compared.stderr).toBe(1);
    expect(collectionOf(compared, "odd")).toMatchObject({ missing: 2, unreadable: 0, moving: 0 });
  });

  it.each([
    ["of all kinds", acceptedId],
    ["that are numbers", anyNumber],
    ["near 2^53 and 2^63", numberNearLimit],
  ])(
    "duplicate copies and removes, and diff compares, documents with ids %s",
    async (_which, arbitrary) => {
      const ids = sample(arbitrary);
      await fill(pair.source.uri, ids, 1);
      const copied = await pair.duplicate("--json");
      expect(copied.code, copied.stderr + copied.stdout).toBe(0);
      expect(collectionRecord(copied.stdout, "odd")).toMatchObject({
        written: ids.length,
        verdict: "verified",
      });
      expect((await compare(pair)).code).toBe(0);

      // A third changed, a third gone: each is looked up by its id.
      const changed = ids.filter((_, n) => n % 3 === 0);
      await fill(pair.target.uri, changed, 2);
      const gone = ids.filter((_, n) => n % 3 === 1);
      await remove(pair.source.uri, gone);
      const compared = await compare(pair);
      expect(collectionOf(compared, "odd")).toMatchObject({
        ...{ changed: changed.length, extra: gone.length, missing: 0, moving: 0, unreadable: 0 },
      });
      const again = await pair.duplicate("--json", "--delete", "--yes");
      expect(again.code, again.stderr + again.stdout).toBe(0);
      expect(collectionRecord(again.stdout, "odd")).toMatchObject({ deleted: gone.length, rejected: 0 });
      expect((await compare(pair)).code).toBe(0);
      console.log(`${ids.length} ids ${_which} copied, compared and removed`);
    },
    LONG ? 600_000 : 60_000,
  );
});
