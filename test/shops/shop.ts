import { type Collection, type CreateCollectionOptions, type Db, type Document, MongoClient } from "mongodb";

/** What a shop's generator made, for tests to compare with. */
export interface FilledShop {
  readonly database: string;
  /** Documents in each collection. Views are not in it. */
  readonly collections: Readonly<Record<string, number>>;
  readonly views: readonly string[];
  /** Names of each collection's indexes besides `_id_`; a collection without any is not in it. */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
}

export interface IndexSpecification {
  readonly key: Record<string, number | string>;
  readonly name: string;
  readonly [option: string]: unknown;
}

/** Documents in one insert: about one megabyte of the largest kind here. */
const BATCH = 2_000;

/** Runs `work` with the client, or with a client of its own for a URI, which it closes. */
export async function withClient<T>(
  server: string | MongoClient,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  if (typeof server !== "string") return work(server);
  const client = new MongoClient(server);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Inserts in the order given, so that the same documents are stored in the same order. Returns how many. */
export async function insertAll(collection: Collection, documents: Iterable<Document>): Promise<number> {
  const inserter = new Inserter(collection);
  for (const document of documents) await inserter.add(document);
  return inserter.finish();
}

/** Inserts documents in batches as they come, holding two batches at most: one being made, one on its way. */
export class Inserter {
  readonly #collection: Collection;
  #batch: Document[] = [];
  #count = 0;
  #onItsWay: Promise<unknown> = Promise.resolve();

  constructor(collection: Collection) {
    this.#collection = collection;
  }

  async add(document: Document): Promise<void> {
    this.#batch.push(document);
    if (this.#batch.length >= BATCH) await this.#send();
  }

  /** Waits for everything and returns how many documents there were. */
  async finish(): Promise<number> {
    await this.#send();
    await this.#onItsWay;
    return this.#count;
  }

  async #send(): Promise<void> {
    await this.#onItsWay;
    if (this.#batch.length === 0) return;
    // Else the driver takes an _id of null for a missing one, and makes one up.
    this.#onItsWay = this.#collection.insertMany(this.#batch, { forceServerObjectId: true });
    // Awaited before the next batch; until then a failure must not count as unhandled.
    this.#onItsWay.catch(() => {});
    this.#count += this.#batch.length;
    this.#batch = [];
  }
}

/** Creates each collection with its options, before anything is inserted. */
export async function createCollections(
  db: Db,
  options: Readonly<Record<string, CreateCollectionOptions>>,
): Promise<void> {
  for (const [name, given] of Object.entries(options)) await db.createCollection(name, given);
}

/** Builds the indexes and returns their names. */
export async function createIndexes(
  db: Db,
  indexes: Readonly<Record<string, readonly IndexSpecification[]>>,
): Promise<Record<string, readonly string[]>> {
  for (const [collection, specifications] of Object.entries(indexes)) {
    await db.command({ createIndexes: collection, indexes: specifications });
  }
  return Object.fromEntries(
    Object.entries(indexes).map(([collection, specifications]) => [
      collection,
      specifications.map(({ name }) => name),
    ]),
  );
}
