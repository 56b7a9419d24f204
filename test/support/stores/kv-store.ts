/** A KV store for the tests of one file: a real Redis behind a local edge, which bills as the service does. */
import { beforeEach } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { decodeRecord } from "../../../src/connectors/kv/entry/decode-record.ts";
import type { Entry } from "../../../src/connectors/kv/entry/entry.ts";
import { openKv, type WritableKv } from "../../../src/connectors/kv/kv.ts";
import type { Doc } from "../../../src/model/document.ts";
import type { ActiveFault } from "../../services/http/faults.ts";
import type { Fault } from "../../services/upstash/faults.ts";
import type { Upstash } from "../../services/upstash/upstash.ts";
import { never } from "../signal.ts";
import { kvService } from "./kv-service.ts";

/** What its collection is listed as. */
export const KEYS: CollectionInfo = {
  name: "kv_records",
  kind: "collection",
  type: "keys",
  options: new Map(),
  ordered: false,
  idsAreUnique: true,
  documents: 0,
  bytes: 0,
};

export interface KvFixture {
  readonly upstash: Upstash;
  /** Another connection to the same keys. */
  open(): Promise<WritableKv>;
  /** Until the end of the test. */
  fail(fault: Fault): ActiveFault;
  /** Runs commands past the edge: nothing is billed. */
  redis(...command: (string | number | Uint8Array)[]): Promise<unknown>;
}

/** To be called within a `describe`: an empty store before each test. */
export function kvFixture(): KvFixture {
  const service = kvService();
  beforeEach(() => {
    Object.assign(service.upstash.settings, { keyspaceInfo: true, maxRequestBytes: 10 * 1024 * 1024 });
  });
  return {
    get upstash() {
      return service.upstash;
    },
    fail: service.fail,
    open: () => {
      const { url, token } = service.upstash;
      return openKv({ url, token, label: "kv.test", role: "target", retries: 2 }, never);
    },
    redis: (...command) => service.upstash.redis.run(...command.map(wire)),
  };
}

function wire(part: string | number | Uint8Array): string | number | Buffer {
  return part instanceof Uint8Array ? Buffer.from(part) : part;
}

/** Everything in the store, by its key in latin1; fails on a key that comes twice. */
export async function readAll(store: WritableKv, batchSize?: number): Promise<ReadonlyMap<string, Doc>> {
  const found = new Map<string, Doc>();
  for await (const batch of store.read(KEYS, { batchSize, signal: never }))
    for (const doc of batch.docs()) {
      if (found.has(doc.id.key)) throw new Error("a key came twice");
      found.set(doc.id.key, doc);
    }
  return found;
}

export function entryOf(doc: Doc | undefined): Entry {
  if (doc === undefined) throw new Error("there is no such document");
  const found = decodeRecord(doc);
  if ("problem" in found) throw new Error(found.problem);
  return found.entry;
}

/** How many commands the edge billed while this ran, and how many requests came. */
export async function costOf<T>(
  { upstash }: KvFixture,
  work: () => Promise<T>,
): Promise<{ readonly commands: number; readonly requests: number; readonly result: T }> {
  const before = { commands: upstash.billed, requests: upstash.requests.length };
  const result = await work();
  return {
    commands: upstash.billed - before.commands,
    requests: upstash.requests.length - before.requests,
    result,
  };
}
