import { createRequire } from "node:module";
import fc from "fast-check";
import { type Db, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareIds } from "../../src/bson/compare-ids.ts";
import { elements, isNamed } from "../../src/bson/elements.ts";
import { idKey } from "../../src/bson/id-key.ts";
import { idElement } from "../../src/model/document.ts";
import { type MongodbService, withDatabase } from "../services/mongodb/mongodb.ts";
import { sharedMongodb } from "../support/stores/shared-services.ts";
import { type BsonValue, documentBytes, element } from "./bson-bytes.ts";
import { acceptedId } from "./id-arbitraries.ts";
import { anyNumber } from "./number-arbitraries.ts";

const SEED = 20_260_102;
const COUNT = process.env.DUALSYNC_TEST_LONG === "1" ? 200_000 : 10_000;
const INSERTED_AT_ONCE = 1000;
const READ_AT_ONCE = 20_000;

let server: MongodbService;
let client: MongoClient;

beforeAll(async () => {
  server = await sharedMongodb();
  client = await MongoClient.connect(withDatabase(server.uri, "ids"));
});

afterAll(async () => {
  await client?.close();
  await server?.stop();
});

describe("id order of a MongoDB server", () => {
  it(
    "a MongoDB server agrees with idKey and compareIds about ids of all kinds",
    () => expectAgreement("any", acceptedId),
    600_000,
  );
  it(
    "a MongoDB server agrees with idKey and compareIds about numbers",
    () => expectAgreement("numbers", anyNumber),
    600_000,
  );
});

/** Inserts generated ids: the server must refuse those whose key was there, and sort the others as compareIds does. */
async function expectAgreement(collection: string, arbitrary: fc.Arbitrary<BsonValue>): Promise<void> {
  const ids = fc.sample(arbitrary, { seed: SEED, numRuns: COUNT }).map(element);
  const { accepted, refused } = await insertAll(client.db(), collection, ids);
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    const key = idKey(id);
    if (seen.has(key) !== refused.has(index)) {
      expect.fail(
        `id ${index} of seed ${SEED}: ${hex(id)} is ${seen.has(key) ? "new" : "a duplicate"} to the server`,
      );
    }
    seen.add(key);
  }
  const stored = await readSorted(client.db(), collection);
  expect(stored.map(hex).toSorted()).toEqual(accepted.map(hex).toSorted());
  for (const [index, id] of stored.entries()) {
    const before = stored[index - 1];
    if (before !== undefined && compareIds(before, id) >= 0) {
      expect.fail(`the server has ${hex(before)} before ${hex(id)} (seed ${SEED})`);
    }
  }
  console.log(`${collection}: ${ids.length} ids tried, ${refused.size} refused as duplicates`);
  expect(refused.size).toBeGreaterThan(COUNT / 100);
  expect(accepted.length).toBeGreaterThan(COUNT / 10);
}

interface Inserted {
  readonly accepted: readonly Uint8Array[];
  /** Places of the ids that the server holds equal to one before. */
  readonly refused: ReadonlySet<number>;
}

async function insertAll(db: Db, collection: string, ids: readonly Uint8Array[]): Promise<Inserted> {
  const refused = new Set<number>();
  for (let from = 0; from < ids.length; from += INSERTED_AT_ONCE) {
    const documents = rawDocuments(ids.slice(from, from + INSERTED_AT_ONCE));
    const reply = await db.command({ insert: collection, documents, ordered: false });
    for (const { index, code, errmsg } of reply.writeErrors ?? []) {
      expect(code, `${errmsg} (${hex(ids[from + index])})`).toBe(11000);
      refused.add(from + index);
    }
  }
  return { accepted: ids.filter((_, index) => !refused.has(index)), refused };
}

/** Documents with these ids and nothing else, as the driver's own carrier of bytes: it sends what no object could hold. */
function rawDocuments(ids: readonly Uint8Array[]): unknown {
  const { DocumentSequence } = createRequire(import.meta.url)("mongodb/lib/cmap/commands");
  const sequence = new DocumentSequence("documents");
  for (const id of ids) {
    const value: BsonValue = { type: id[0] as number, bytes: Buffer.from(id.subarray(1)) };
    sequence.push({}, documentBytes([["_id", value]]));
  }
  return sequence;
}

/** The ids of a collection in the server's order, from whole documents: index entries alone lose digits of decimals. */
async function readSorted(db: Db, collection: string): Promise<Uint8Array[]> {
  const ids: Uint8Array[] = [];
  for (;;) {
    const command = {
      find: collection,
      sort: { _id: 1 },
      skip: ids.length,
      batchSize: READ_AT_ONCE,
      limit: READ_AT_ONCE,
    };
    const reply = await db.command(command, { raw: true });
    const batch = idsOf(reply.cursor as unknown as Uint8Array);
    ids.push(...batch);
    if (batch.length < READ_AT_ONCE) return ids;
  }
}

function idsOf(cursor: Uint8Array): Uint8Array[] {
  for (const field of elements(cursor)) {
    if (!isNamed(cursor, field, "firstBatch")) continue;
    return [...elements(cursor, field.start)].map(({ start, end }) => idElement(cursor.slice(start, end)));
  }
  return [];
}

function hex(id: Uint8Array | undefined): string {
  return Buffer.from(id ?? []).toString("hex");
}
