/** A shop that keeps everything in a KV store, and each key also in a collection of its own in MongoDB. All of it is invented. */
import { type Document, Int32, type MongoClient, ObjectId } from "mongodb";
import { Random } from "./random.ts";
import { withClient } from "./shop.ts";

/** Runs a command of Redis. */
export type RunRedis = (...command: (string | number)[]) => Promise<unknown>;

export interface SkinvaultOptions {
  /** 40 without it. */
  readonly users?: number;
}

/** Far ahead: no test sees it expire. */
const BANNER_ENDS = Date.UTC(2099, 0, 1);
const OPENED = Date.UTC(2025, 2, 1, 9);

/** What the application holds: its SDK stores objects as JSON, and texts and numbers as they are. */
export function skinvaultValues({ users = 40 }: SkinvaultOptions = {}): Record<string, unknown> {
  const random = new Random(4);
  const someone = (number: number) => ({
    id: `u${number}`,
    name: random.word(2),
    since: new Date(OPENED + number * 3_600_000).toISOString(),
    balance: random.whole(0, 900) / 4,
    tags: Array.from({ length: random.whole(0, 3) }, () => random.word(1).toLowerCase()),
    referrer: number % 3 === 0 ? null : `u${number - 1}`,
  });
  return {
    pro_users: Array.from({ length: users }, (_, at) => someone(at + 1)),
    listings: Array.from({ length: 25 }, (_, at) => ({
      skin: `${random.word(2)} | ${random.word(3)}`,
      float: random.whole(1, 9_999) / 10_000,
      cents: random.whole(95, 90_000),
      seller: `u${at + 1}`,
    })),
    settings: {
      fee: 0.05,
      open: true,
      motd: "Welcome – Zoë",
      limits: { daily: 20, 7: "seven" },
      retired: [],
    },
    featured: ["Karambit", "Butterfly"],
    visits: 10_423,
    notice: "Back at 8",
  };
}

/** The names of its keys. */
export const SKINVAULT_KEYS = [...Object.keys(skinvaultValues({ users: 1 })), "banner", "ranking"].sort();

/** Keys with JSON, text and a number, one that expires, and one of another type. */
export async function fillSkinvault(run: RunRedis, options: SkinvaultOptions = {}): Promise<void> {
  for (const [key, value] of Object.entries(skinvaultValues(options)))
    await run("SET", key, typeof value === "string" ? value : JSON.stringify(value));
  await run("SET", "banner", JSON.stringify({ text: "Spring sale" }), "PXAT", BANNER_ENDS);
  await run("ZADD", "ranking", 12.5, "u1", 99, "u2", 0.25, "u3");
}

/** What the application's own backup wrote of the same: one collection a key, whose document says it in one of three ways. */
export async function fillSkinvaultBackup(
  server: string | MongoClient,
  database: string,
  options: SkinvaultOptions = {},
): Promise<void> {
  await withClient(server, async (client) => {
    const db = client.db(database);
    const updatedAt = new Date(OPENED);
    for (const [key, value] of Object.entries(skinvaultValues(options)))
      await db.collection<Document>(key).insertOne(backupOf(key, value, updatedAt));
  });
}

function backupOf(key: string, value: unknown, updatedAt: Date): Document {
  if (key === "settings") return { _id: key as never, data: value, updatedAt };
  const __v = new Int32(0);
  if (key === "pro_users")
    return { _id: new ObjectId("65a000000000000000000004"), key, value, updatedAt, __v };
  return { _id: key as never, key, value, updatedAt };
}
