/** Copies of keys in databases of a real server. */
import { type Db, MongoClient } from "mongodb";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import type { LaidOutSession, LaidOutStore } from "../../../../src/connectors/copy-layouts.ts";
import { encodeRecord } from "../../../../src/connectors/kv/entry/encode-record.ts";
import type { EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { keyLayouts } from "../../../../src/connectors/kv/layouts/layouts.ts";
import { type MongodbStore, mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { GuardedOutcome, PreparedWrite } from "../../../../src/connectors/powers/guarded-writes.ts";
import type { Doc } from "../../../../src/model/document.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { testRun } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

/** A database, seen by the driver, by the connector, and in a layout. */
export interface Copy {
  readonly db: Db;
  readonly mongodb: MongodbStore;
  readonly store: LaidOutStore;
  readonly session: LaidOutSession;
}

interface BeginOptions {
  /** What its name begins with. */
  readonly prefix?: string;
  readonly disturb?: (store: MongodbStore) => MongodbStore;
}

export interface Copies {
  /** A database of its own; `fill` puts there what an application did, `disturb` is between the layout and the connector. */
  begin(layout: string, fill?: (db: Db) => Promise<unknown>, more?: BeginOptions): Promise<Copy>;
  stop(): Promise<void>;
}

export async function startCopies(): Promise<Copies> {
  const server: MongodbService = await sharedMongodb();
  const client = await MongoClient.connect(server.uri);
  const open: LaidOutStore[] = [];
  let databases = 0;
  return {
    async begin(layout, fill, { prefix = "copy", disturb = (store: MongodbStore) => store } = {}) {
      const database = `${prefix}${++databases}`;
      const db = client.db(database);
      await fill?.(db);
      const options = { uri: server.uri, database, role: "target", label: `test/${database}` } as const;
      const real = await mongodb(options, never);
      const store = keyLayouts.open(disturb(real), layout);
      open.push(store);
      return { db, mongodb: real, store, session: await store.claim(testRun("test", true), never) };
    },
    async stop() {
      for (const store of open) await store.close();
      await client.close();
      await server.stop();
    },
  };
}

/** The record of a key. */
export function record(
  key: string | Uint8Array,
  content: string | EntryValue,
  expiresAt?: number | undefined,
): Doc {
  const value: EntryValue =
    typeof content === "string" ? { type: "string", value: Buffer.from(content) } : content;
  const encoded = encodeRecord({ key: Buffer.from(key), content: value, expiresAt });
  if ("problem" in encoded) throw new Error(encoded.problem);
  // In memory of its own.
  return rawDoc(Uint8Array.from(encoded.bytes));
}

/** What the layout shows of this key now. */
export async function seen(
  { store }: Pick<Copy, "store">,
  key: string | Uint8Array,
): Promise<Doc | undefined> {
  const { id } = record(key, "any");
  return (await store.lookup.find("kv_records", [id], never)).get(id.key);
}

/** Puts the record in the place of what the layout shows of its key. */
export async function put(copy: Copy, wanted: Doc): Promise<GuardedOutcome["result"]> {
  const there = await copy.store.lookup.find("kv_records", [wanted.id], never);
  return await write(copy, there.get(wanted.id.key), wanted);
}

/** As `put`, all of them together. */
export async function putAll(
  { store, session: { guarded } }: Copy,
  wanted: readonly Doc[],
): Promise<GuardedOutcome["result"][]> {
  const ids = wanted.map(({ id }) => id);
  const there = await store.lookup.find("kv_records", ids, never);
  const writes = wanted.map((doc) => ({ id: doc.id, expected: there.get(doc.id.key), wanted: doc }));
  const answers = await guarded.prepare("kv_records", writes, never);
  const prepared = answers.flatMap((answer) => ("stored" in answer ? [answer] : []));
  if (prepared.length < answers.length)
    return answers.flatMap((one) => ("result" in one ? [one.result] : []));
  return (await guarded.apply("kv_records", prepared, never)).map(({ result }) => result);
}

export async function write(
  copy: Pick<Copy, "session">,
  expected: Doc | undefined,
  wanted: Doc | undefined,
  between: (prepared: PreparedWrite) => Promise<unknown> = async () => undefined,
): Promise<GuardedOutcome["result"]> {
  const id = (wanted ?? expected)?.id;
  if (id === undefined) throw new Error("a write of nothing");
  const { guarded } = copy.session;
  const [prepared] = await guarded.prepare("kv_records", [{ id, expected, wanted }], never);
  if (prepared === undefined) throw new Error("no answer");
  if (!("stored" in prepared)) return prepared.result;
  await between(prepared);
  const [outcome] = await guarded.apply("kv_records", [prepared], never);
  if (outcome === undefined) throw new Error("no outcome");
  return outcome.result;
}

/** All that the layout shows, in the order of the ids. */
export async function all({ store }: Pick<Copy, "store">, batchSize?: number): Promise<Doc[]> {
  const [info] = (await store.list(never)).collections as [CollectionInfo];
  const found: Doc[] = [];
  for await (const batch of store.read(info, { signal: never, batchSize })) {
    for (const doc of batch.docs()) found.push(rawDoc(Uint8Array.from(doc.bytes)));
    batch.release();
  }
  return found.sort((a, b) => (a.id.key < b.id.key ? -1 : 1));
}
