import type { RedisConnection } from "../redis/connection.ts";
import { type RedisCommand, RedisFailure, type RedisReply, type RedisStatus } from "../redis/resp.ts";
import { nameOf } from "./commands.ts";
import type { Effect } from "./faults.ts";
import type { RestCommand } from "./request.ts";

/** Above all cursors that Redis gives, and above what a number can hold: a cursor is a text. */
const FIRST_OWN_CURSOR = 2n ** 64n;

const CURSOR_PLACES: Readonly<Record<string, number>> = { SCAN: 1, HSCAN: 2, SSCAN: 2, ZSCAN: 2 };

/** SCAN and its kind, as Upstash has them: with WITHTYPE, with any page empty, with anything twice. */
export class Scans {
  /** Where to go on after an empty page. */
  readonly #cursors = new Map<string, Buffer>();
  /** Of each key that is scanned, and of all keys: some of the last page. */
  readonly #lastPages = new Map<string, readonly RedisReply[]>();

  static isScan(name: string): boolean {
    return CURSOR_PLACES[name] !== undefined;
  }

  async run(redis: RedisConnection, command: RestCommand, pages: Effect["pages"]): Promise<RedisReply> {
    const name = nameOf(command);
    const place = CURSOR_PLACES[name] ?? 0;
    const given = command[place] ?? Buffer.alloc(0);
    const cursor = this.#cursors.get(String(given)) ?? given;
    if (pages === "empty") return [this.#cursorTo(cursor), []];
    const withType = name === "SCAN" && command.some(isWithType);
    const wire: RedisCommand = command
      .with(place, cursor)
      .filter((argument) => !withType || !isWithType(argument));
    const [reply = null] = await redis.exchange([wire]);
    if (!Array.isArray(reply)) return reply;
    const [next, found] = reply as [RedisReply, readonly RedisReply[]];
    const page = withType ? await typed(redis, found) : found;
    const width = withType || name === "ZSCAN" || (name === "HSCAN" && !command.some(isNoValues)) ? 2 : 1;
    const scanned = [name, ...command.slice(1, place).map((key) => key.toString("latin1"))].join(" ");
    const last = String(cursor) === "0" ? [] : (this.#lastPages.get(scanned) ?? []);
    this.#lastPages.set(scanned, page.slice(0, width));
    return [next, pages === "duplicates" ? [...last, ...page, ...page.slice(0, 2 * width)] : page];
  }

  #cursorTo(cursor: Buffer): Buffer {
    const own = String(FIRST_OWN_CURSOR + BigInt(this.#cursors.size));
    this.#cursors.set(own, cursor);
    return Buffer.from(own);
  }
}

function isWithType(argument: Buffer): boolean {
  return /^withtype$/i.test(argument.toString("latin1"));
}

function isNoValues(argument: Buffer): boolean {
  return /^novalues$/i.test(argument.toString("latin1"));
}

async function typed(redis: RedisConnection, keys: readonly RedisReply[]): Promise<RedisReply[]> {
  const types = await redis.exchange(keys.map((key) => ["TYPE", key as Buffer]));
  return keys.flatMap((key, place) => {
    const type = types[place];
    if (type instanceof RedisFailure) throw type;
    return [key, Buffer.from((type as RedisStatus).text)];
  });
}
