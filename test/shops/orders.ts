import type { CreateCollectionOptions, Db, MongoClient } from "mongodb";
import { customer, invoice, order, product } from "./orders-documents.ts";
import { logEntries, references, sessions, settings } from "./orders-odds.ts";
import { Random } from "./random.ts";
import {
  createCollections,
  createIndexes,
  type FilledShop,
  type IndexSpecification,
  Inserter,
  insertAll,
  withClient,
} from "./shop.ts";

export interface OrdersOptions {
  readonly orders: number;
  /** Default 1. Another seed gives other documents in the same collections. */
  readonly seed?: number;
}

/** The log keeps its last entries only, as a capped collection does. */
const LOG_ENTRIES_KEPT = 1_000;

const COLLECTIONS: Record<string, CreateCollectionOptions> = {
  customers: {
    validator: {
      $jsonSchema: {
        bsonType: "object",
        required: ["email", "name", "since"],
        properties: {
          email: { bsonType: "string" },
          name: { bsonType: "string" },
          since: { bsonType: "date" },
        },
      },
    },
    validationLevel: "moderate",
  },
  products: {},
  orders: {},
  invoices: {},
  sessions: {},
  settings: {},
  references: {},
  log: { capped: true, size: 1024 * 1024, max: LOG_ENTRIES_KEPT },
};

const VIEWS: Record<string, CreateCollectionOptions> = {
  paid: { viewOn: "orders", pipeline: [{ $match: { status: "paid" } }, { $project: { notes: 0 } }] },
};

const INDEXES: Record<string, readonly IndexSpecification[]> = {
  customers: [
    { key: { email: 1 }, name: "email_1", unique: true },
    { key: { "address.location": "2dsphere" }, name: "address.location_2dsphere" },
    { key: { phone: 1 }, name: "phone_1", sparse: true },
  ],
  products: [
    { key: { name: "text", description: "text" }, name: "search", weights: { name: 5, description: 1 } },
    { key: { "attributes.$**": 1 }, name: "attributes.$**_1" },
  ],
  orders: [
    { key: { number: 1 }, name: "number_1", unique: true },
    { key: { customer: 1, placedAt: -1 }, name: "customer_1_placedAt_-1" },
    { key: { customer: "hashed" }, name: "customer_hashed" },
    {
      key: { placedAt: 1 },
      name: "new_placedAt",
      partialFilterExpression: { status: "new" },
    },
    { key: { coupon: 1 }, name: "coupon_1", sparse: true },
    { key: { "items.sku": 1 }, name: "items.sku_1" },
  ],
  invoices: [{ key: { order: 1 }, name: "order_1", unique: true }],
  sessions: [{ key: { expiresAt: 1 }, name: "expiresAt_1", expireAfterSeconds: 0 }],
};

/**
 * Fills an empty database with shop 1 of the design: a web shop that keeps everything in one MongoDB. All of it is
 * invented and depends on the seed and the number of orders alone: two databases so filled are equal byte for byte.
 */
export async function fillOrders(
  server: string | MongoClient,
  database: string,
  { orders, seed = 1 }: OrdersOptions,
): Promise<FilledShop> {
  return withClient(server, async (client) => {
    const db = client.db(database);
    await createCollections(db, COLLECTIONS);
    const collections = {
      ...(await fillTrade(db, orders, seed)),
      sessions: await insertAll(db.collection("sessions"), sessions(new Random(seed + 1))),
      settings: await insertAll(db.collection("settings"), settings()),
      references: await insertAll(db.collection("references"), references()),
      log: Math.min(
        LOG_ENTRIES_KEPT,
        await insertAll(db.collection("log"), logEntries(new Random(seed + 2))),
      ),
    };
    const indexes = await createIndexes(db, INDEXES);
    await createCollections(db, VIEWS);
    return { database, collections, views: Object.keys(VIEWS), indexes };
  });
}

async function fillTrade(db: Db, orders: number, seed: number): Promise<Record<string, number>> {
  const random = new Random(seed);
  const products = Array.from({ length: Math.min(500, 10 + Math.ceil(orders / 100)) }, (_, at) =>
    product(random, at),
  );
  const customers = 10 + Math.ceil(orders / 10);
  const customerInserter = new Inserter(db.collection("customers"));
  for (let number = 0; number < customers; number++) await customerInserter.add(customer(random, number));
  const orderInserter = new Inserter(db.collection("orders"));
  const invoiceInserter = new Inserter(db.collection("invoices"));
  for (let number = 0; number < orders; number++) {
    const made = order(random, number, { customers, products });
    await orderInserter.add(made);
    if (made.status === "paid" || made.status === "sent") await invoiceInserter.add(invoice(made));
  }
  return {
    products: await insertAll(db.collection("products"), products),
    customers: await customerInserter.finish(),
    orders: await orderInserter.finish(),
    invoices: await invoiceInserter.finish(),
  };
}
