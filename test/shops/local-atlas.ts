import { type Document, Int32, type MongoClient, type ObjectId } from "mongodb";
import { objectId, Random } from "./random.ts";
import { createIndexes, type FilledShop, type IndexSpecification, insertAll, withClient } from "./shop.ts";

type Make = (random: Random, number: number) => Document;

const OPENED = Date.UTC(2025, 1, 3);
const DAY = 86_400_000;

/** The collections of a school for evening courses, in the order of their ids, with how many documents each has. */
const COLLECTIONS: Readonly<Record<string, { readonly documents: number; readonly make: Make }>> = {
  users: {
    documents: 120,
    make: (random, at) => ({
      name: random.word(3),
      email: `user${at}@school.example`,
      role: random.pick(["student", "teacher"]),
    }),
  },
  courses: {
    documents: 24,
    make: (random) => ({ title: random.text(3), room: reference("rooms", random.whole(0, 7)), seats: 12 }),
  },
  lessons: {
    documents: 240,
    make: (random, at) => ({
      course: reference("courses", at % 24),
      startsAt: day(at),
      topic: random.text(4),
    }),
  },
  rooms: {
    documents: 8,
    make: (random) => ({ name: random.word(2), seats: random.whole(8, 30), equipment: [random.word(2)] }),
  },
  enrolments: {
    documents: 300,
    make: (_, at) => ({
      user: reference("users", at % 120),
      course: reference("courses", Math.floor(at / 13)),
      since: day(at),
    }),
  },
  attendances: {
    documents: 500,
    make: (random, at) => ({
      lesson: reference("lessons", at % 240),
      user: reference("users", at % 120),
      present: random.chance(0.9),
    }),
  },
  payments: {
    documents: 180,
    make: (random, at) => ({
      user: reference("users", at % 120),
      amount: random.whole(20, 400) + 0.5,
      paidAt: day(at),
    }),
  },
  refunds: { documents: 5, make: (_, at) => ({ payment: reference("payments", at * 3), reason: null }) },
  coupons: {
    documents: 10,
    make: (random, at) => ({
      code: `${random.word(2)}${at}`.toUpperCase(),
      percent: random.pick([5, 10, 20]),
    }),
  },
  reviews: {
    documents: 60,
    make: (random, at) => ({
      course: reference("courses", at % 24),
      stars: random.whole(1, 5),
      text: random.text(10),
    }),
  },
  messages: {
    documents: 90,
    make: (random, at) => ({
      from: reference("users", at),
      to: reference("users", at + 1),
      text: random.text(8),
    }),
  },
  notifications: {
    documents: 150,
    make: (random, at) => ({
      user: reference("users", at % 120),
      kind: random.pick(["lesson", "payment"]),
      read: random.chance(0.5),
    }),
  },
  files: {
    documents: 12,
    make: (random) => ({ name: `${random.word(2)}.txt`, content: Buffer.from(random.text(40)) }),
  },
  settings: {
    documents: 3,
    make: (random, at) => ({ key: `setting${at}`, value: { [random.word(1)]: [at, null, true] } }),
  },
  sessions: {
    documents: 30,
    make: (_, at) => ({ user: reference("users", at), expiresAt: new Date(Date.UTC(2099, 0, 1) + at) }),
  },
  auditlogs: {
    documents: 400,
    make: (random, at) => ({ user: reference("users", at % 120), action: random.text(2), at: day(at) }),
  },
};
const NAMES = Object.keys(COLLECTIONS);

const INDEXES: Record<string, readonly IndexSpecification[]> = {
  users: [{ key: { email: 1 }, name: "email_1", unique: true, background: true }],
  enrolments: [{ key: { user: 1, course: 1 }, name: "user_1_course_1", unique: true }],
  lessons: [{ key: { course: 1, startsAt: 1 }, name: "course_1_startsAt_1" }],
  coupons: [{ key: { code: 1 }, name: "code_1", unique: true }],
  sessions: [{ key: { expiresAt: 1 }, name: "expiresAt_1", expireAfterSeconds: 0 }],
};

/**
 * Fills an empty database with shop 2 of the design: an application that runs on a local MongoDB through Mongoose, with
 * 16 small collections. All of it is invented and always the same.
 */
export async function fillLocalAtlas(server: string | MongoClient, database: string): Promise<FilledShop> {
  return withClient(server, async (client) => {
    const db = client.db(database);
    const collections: Record<string, number> = {};
    for (const [name, { documents, make }] of Object.entries(COLLECTIONS)) {
      collections[name] = await insertAll(db.collection(name), generate(name, documents, make));
    }
    return { database, collections, views: [], indexes: await createIndexes(db, INDEXES) };
  });
}

function* generate(collection: string, documents: number, make: Make): Generator<Document> {
  const random = new Random(NAMES.indexOf(collection) + 1);
  for (let number = 0; number < documents; number++) {
    const createdAt = day(number);
    // Mongoose adds the version field at the end and the two times before it.
    const content = make(random, number);
    yield {
      _id: reference(collection, number),
      ...content,
      createdAt,
      updatedAt: createdAt,
      __v: new Int32(0),
    };
  }
}

/** The id of a collection's `number`th document, wherever it is named. */
function reference(collection: string, number: number): ObjectId {
  return objectId(NAMES.indexOf(collection), number, day(number));
}

function day(number: number): Date {
  return new Date(OPENED + number * DAY);
}
