import type { CostEstimate, CostlyWork, Estimate } from "../powers/costs.ts";
import { LEASE_COMMANDS, RENEWAL_COMMANDS } from "./control/lease.ts";
import { describeKeys } from "./reading/count.ts";
import type { KvReading } from "./reading/reading.ts";

/** Keys of a page, and of one MGET or MSETNX. */
const PAGE = 1000;
const TOGETHER = 500;
/** Commands of a request. */
const REQUEST = 500;

/** What a key costs at most: its type, its content (of a stream two commands), and when it expires. */
const MOST_READ = 4;
/** What a write costs at most, but for streams: a script, three looks, three steps to write. */
const MOST_WRITTEN = 7;
/** What a plan asks for: the history, twice how many keys there are. */
const PLANNED = 5;
/** Whether anything expires; how expiries are read. */
const LOOKED = 1;
const EXPIRY_ASKED = 1;
/** Of those, and of the connection. */
const FIXED_REQUESTS = 6;

/**
 * Least: all keys are strings, and the keys that are written are new. Most: none is a string. How many expire the server says; where it
 * does not, none or all. Streams with many entries, and values over a megabyte, cost more to write.
 */
export async function estimate(
  reading: KvReading,
  { writing, passedOver = 0 }: CostlyWork,
  signal: AbortSignal,
): Promise<CostEstimate> {
  const { info, held, keyspace } = await describeKeys(reading, signal);
  const isCounted = keyspace !== undefined && keyspace.keys === held;
  const noneExpires = info.documents === 0 || (isCounted && keyspace.expires === 0);
  const someExpire = isCounted && keyspace.expires > 0;
  const pages = Math.max(1, Math.ceil(info.documents / PAGE));
  // As soon as one expires, each is asked.
  const readCost = (keys: number): Estimate => {
    const lists = PLANNED + LOOKED + pages + Math.ceil(keys / TOGETHER);
    return {
      least: lists + (someExpire ? EXPIRY_ASKED + keys : 0),
      most: lists + (noneExpires ? (MOST_READ - 1) * keys : EXPIRY_ASKED + MOST_READ * keys),
    };
  };
  const keys = Math.max(0, info.documents - passedOver);
  const reads = readCost(keys);
  // A short run needs no renewal.
  const [lease, renewal] = writing.most === 0 ? [0, 0] : [LEASE_COMMANDS, RENEWAL_COMMANDS];
  const commands: Estimate = {
    least: reads.least + lease + 2 * Math.ceil(writing.least / TOGETHER),
    most:
      reads.most +
      lease +
      renewal +
      Math.ceil(writing.most / TOGETHER) +
      (MOST_WRITTEN + MOST_READ) * writing.most,
  };
  return {
    commands,
    overhead: PLANNED + LOOKED + EXPIRY_ASKED + pages + lease + renewal,
    readingOnly: readCost(info.documents),
    requests: {
      least: FIXED_REQUESTS + 2 * pages + lease,
      most: FIXED_REQUESTS + 4 * pages + lease + renewal + Math.ceil(commands.most / (REQUEST / 10)),
    },
    bytes: bytesOf(info.bytes, keys, writing),
  };
}

/** Texts come in base64. Where the server does not say how large its data is, a key is taken for 50 bytes to 10 KB. */
function bytesOf(data: number, keys: number, writing: Estimate): Estimate {
  const [least, most] = data > 0 ? [data / 4, data * 2] : [50 * keys, 10_000 * keys];
  const share = (part: number): number => (keys === 0 ? 0 : part / keys);
  return {
    least: Math.round(least * (1 + share(writing.least))),
    most: Math.round(most * (1 + 3 * share(writing.most))),
  };
}
