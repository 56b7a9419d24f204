/**
 * Keys of a KV store behind the contract: a key, what it holds and when it expires are a document of its one collection. Each folder here
 * knows only those before it: `api` (requests, answers, what failed), `entry` (keys and documents), `scripts` (what the server computes),
 * `reading` (pages, expiries, large values), `control` (lease, restoring marker), `writing` (the target half).
 */
import type { CollectionInfo, ReadOptions, Selection } from "../collection.ts";
import type { StoreRole } from "../connector.ts";
import type { Reader, Run, With } from "../contract.ts";
import type { Contents } from "../powers/contents.ts";
import { openKvClient } from "./api/client.ts";
import { readNonce } from "./control/lease.ts";
import { isOwnKey } from "./control/own-keys.ts";
import { probeStore } from "./control/probe.ts";
import { readRestoring } from "./control/restoring.ts";
import { estimate } from "./costs.ts";
import { contents } from "./entry/contents.ts";
import { keyOfId } from "./entry/key-id.ts";
import { mapping } from "./entry/mapping.ts";
import { isRecordDue } from "./entry/record-expiry.ts";
import { countKeys, describeKeys } from "./reading/count.ts";
import { COLLECTION } from "./reading/inexact-keys.ts";
import { infoText, infoValue } from "./reading/keyspace-info.ts";
import { type KvReading, openReading } from "./reading/reading.ts";
import { findRecords, looksUnread, readIds, readRecords } from "./reading/records.ts";
import { KV_WORDS } from "./words.ts";
import { claim, type KvSession } from "./writing/session.ts";

export interface KvOptions {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Host and path, for people. */
  readonly label: string;
  readonly role: StoreRole;
  /** How often a failed request is sent again. */
  readonly retries?: number | undefined;
  readonly brief?: true | undefined;
}

/** Of a request whose answer is only to show whether the store serves. Milliseconds. */
const BRIEF = { deadline: 4_000, stall: 4_000 };

export type KvReader = Reader &
  With<
    | "mapping"
    | "lookup"
    | "keys"
    | "selectiveReads"
    | "exactness"
    | "expiry"
    | "history"
    | "contents"
    | "costs"
    | "probe"
  >;

export interface WritableKv extends KvReader {
  claim(run: Run, signal: AbortSignal): Promise<KvSession>;
}

/** Connects, and makes sure that the token is taken. Costs no command. */
export async function openKv(options: KvOptions, signal: AbortSignal): Promise<WritableKv> {
  const client = openKvClient({ ...options, limits: options.brief === true ? BRIEF : undefined });
  const [reply] = await client.run([["INFO", "server"]], { signal, doing: "connect", repeatable: true });
  const version = infoValue(infoText(reply) ?? "", "redis_version");
  const reading = openReading(client, options.role);
  return {
    ...reader(reading, version),
    claim: (run, until) => claim(reading, run, until),
  };
}

function reader(reading: KvReading, version: string | undefined): KvReader {
  const { client } = reading;
  const { label } = client;
  return {
    label,
    words: KV_WORDS,
    // Expired keys count until the server removes them.
    countsExactly: false,
    async identity() {
      // Of the last answer: an earlier time than now is never too late.
      const { time } = client;
      const product = version === undefined ? "KV store" : `KV store (Redis ${version})`;
      return { product, label, ...(time === undefined ? {} : { time }) };
    },
    async list(until, selects) {
      if (selects?.(COLLECTION) === false)
        return { collections: [], notCopied: [], unselected: [{ name: COLLECTION }] };
      return { collections: [(await describeKeys(reading, until)).info], notCopied: [] };
    },
    async count(collection, selection, until) {
      assertWhole(collection, selection);
      return await countKeys(reading, until);
    },
    read: (collection, options) => {
      assertRead(collection, options);
      return readRecords(reading, options.batchSize, options.signal);
    },
    selectiveReads: {
      read: (collection, wants, options) => {
        assertRead(collection, options);
        return readRecords(reading, options.batchSize, options.signal, wants);
      },
    },
    keys: {
      read: (collection, options) => {
        assertRead(collection, options);
        return readIds(reading, options.batchSize, options.signal);
      },
    },
    lookup: {
      async find(collection, ids, until) {
        assertWhole(collection, {});
        return await findRecords(reading, ids, until);
      },
      canQuery(id) {
        const key = keyOfId(id);
        return key !== undefined && !isOwnKey(key);
      },
    },
    mapping,
    contents: contentsOf(reading),
    exactness: { inexact: (collection) => (collection === COLLECTION ? reading.inexact.all : []) },
    expiry: { of: async () => isRecordDue, removesAtOnce: true },
    history: {
      read: (until) => readRestoring(reading, until),
      seesNonce: async (nonce, until) => (await readNonce(client, until)) === nonce,
    },
    costs: {
      get spent() {
        return client.spent;
      },
      get left() {
        return client.left;
      },
      estimate: async (_collection, work, until) => await estimate(reading, work, until),
      limit: (commands) => client.limit(commands),
      pace: (commandsPerSecond) => client.pace(commandsPerSecond),
    },
    probe: { serves: (until) => probeStore(reading, until) },
    close: () => client.close(),
  };
}

/** Of a key that was not read it is said why. */
function contentsOf({ inexact }: KvReading): Contents {
  return {
    ...contents,
    of(doc) {
      const found = contents.of(doc);
      if (!("problem" in found) || !looksUnread(doc)) return found;
      return { problem: inexact.unread(doc.id) ?? found.problem };
    },
  };
}

function assertRead({ name }: CollectionInfo, { after, changedSince, ...selection }: ReadOptions): void {
  assertWhole(name, selection);
  if (after !== undefined || changedSince !== undefined)
    throw new RangeError("keys have no order and no times");
}

function assertWhole(collection: string, { range, filter }: Selection): void {
  if (collection !== COLLECTION) throw new RangeError(`a KV store has no collection but ${COLLECTION}`);
  const isWhole = range?.from === undefined && range?.to === undefined;
  if (!isWhole || filter !== undefined) throw new RangeError("keys are read whole");
}
