import {
  Binary,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from "mongodb";
import type { Random } from "./random.ts";

/** Far ahead, so that no server removes a session while a test runs. */
const SESSIONS_EXPIRE = Date.UTC(2099, 0, 1);
const SESSIONS = 50;
/** More than the capped log keeps. */
const LOG_ENTRIES = 1_200;
const LOG_STARTED = Date.UTC(2024, 5, 1);

export function* sessions(random: Random): Generator<Document> {
  for (let number = 0; number < SESSIONS; number++) {
    yield {
      _id: `session-${String(number).padStart(4, "0")}`,
      expiresAt: new Date(SESSIONS_EXPIRE + number * 1000),
      basket: Array.from({ length: random.whole(0, 3) }, () => random.word(2)),
    };
  }
}

/** Few documents, with the names of things as ids. */
export function* settings(): Generator<Document> {
  yield { _id: "shop", name: "The Amber Lamp", currency: "EUR", open: true };
  yield { _id: "mail", from: "orders@shop.example", footer: "Thank you.\nSee you soon \u2600" };
  yield { _id: "taxes", rates: [Decimal128.fromString("0.19"), Decimal128.fromString("0.070")] };
  yield { _id: "", note: "an empty id" };
  yield { _id: "Größe/日本", note: "an id outside ASCII" };
  yield { _id: "a.b$c", $dollar: 1, "dotted.name": 2 };
}

/** Ids of every type that an `_id` can have, and some that differ little. */
export function* references(): Generator<Document> {
  const ids = [
    new MinKey(),
    null,
    new Double(-0.5),
    new Int32(0),
    new Int32(1),
    new Double(1.5),
    Long.fromString("9007199254740993"),
    Decimal128.fromString("1234567890.123456789"),
    new Double(Number.POSITIVE_INFINITY),
    new Double(Number.NaN),
    "",
    "1",
    "one",
    {},
    { a: new Int32(1) },
    { a: new Int32(1), b: new Int32(2) },
    { b: new Int32(2), a: new Int32(1) },
    new Binary(Buffer.from([1, 2, 3])),
    new UUID("0b5f3a52-7c1d-4e8e-9a55-3c8d6f1e2b4a"),
    new ObjectId("65a000000000000000000001"),
    false,
    true,
    new Date(-1),
    new Date(0),
    new Timestamp({ t: 1, i: 1 }),
    new MaxKey(),
  ];
  for (const [at, id] of ids.entries()) yield { _id: id, at };
}

export function* logEntries(random: Random): Generator<Document> {
  for (let number = 0; number < LOG_ENTRIES; number++) {
    yield {
      _id: new Int32(number),
      at: new Date(LOG_STARTED + number * 1000),
      level: random.pick(["info", "info", "info", "warning", "error"]),
      message: random.text(5),
    };
  }
}
