/** The control collection in a database that dualsync writes to: the lease, and who filled what from where. */
import { Binary, BSON, type Document } from "mongodb";

import { type ControlRecord, historyOf, textOf } from "../../control/control-records.ts";
import type { History } from "../../powers/run-history.ts";
import { Batcher } from "../../wrappers/batcher.ts";
import type { Server } from "../connection/server.ts";
import { readAll } from "../reading/listing.ts";
import { CONTROL_COLLECTION } from "../schema/collections.ts";

const BLUEPRINTS = "blueprint ";
const CHECKSUMS = "checksums ";
/** Of these so many are written at once, each smaller than a document may be. */
const MOST_WRITTEN = 20;
/** Behind every name that begins with `BLUEPRINTS` or `CHECKSUMS`: the character after a blank. */
const BEHIND_BLUEPRINTS = "blueprint!";
const BEHIND_CHECKSUMS = "checksums!";

/** A document of dualsync's own collection; undefined when it is not there. */
export async function readControl(
  server: Server,
  id: string,
  signal: AbortSignal,
): Promise<Document | undefined> {
  return (await find(server, { filter: { _id: id }, limit: 1, singleBatch: true }, signal))[0];
}

/** Replaces a document of dualsync's own collection. */
export async function writeControl(
  server: Server,
  id: string,
  content: Document,
  signal: AbortSignal,
): Promise<void> {
  const replacement = { q: { _id: id }, u: { _id: id, ...content }, upsert: true };
  await updateControl(server, replacement, signal);
}

/** Runs one update statement there. @returns the server's answer */
export async function updateControl(
  server: Server,
  statement: Document,
  signal: AbortSignal,
): Promise<Document> {
  return await update(server, [statement], signal);
}

async function update(server: Server, updates: readonly Document[], signal: AbortSignal): Promise<Document> {
  const answer = await server.run(
    { update: CONTROL_COLLECTION, updates, writeConcern: { w: "majority" } },
    { signal, doing: `write to ${CONTROL_COLLECTION}` },
  );
  assertWorked(server, answer, `write to ${CONTROL_COLLECTION}`);
  return answer;
}

function assertWorked(server: Server, answer: Document, doing: string): void {
  const failed = Array.isArray(answer.writeErrors) ? answer.writeErrors[0] : answer.writeConcernError;
  if (failed !== undefined) throw server.fault(failed, doing);
}

export async function readHistory(server: Server, signal: AbortSignal): Promise<History> {
  // Blueprints and checksums are large, and asked for where they are needed.
  const between = { $gte: BEHIND_BLUEPRINTS, $lt: CHECKSUMS };
  const others = {
    $or: [{ _id: { $lt: BLUEPRINTS } }, { _id: between }, { _id: { $gte: BEHIND_CHECKSUMS } }],
  };
  const documents = await find(server, { filter: others }, signal);
  return historyOf(documents.map((document) => [textOf(document._id), document]));
}

/** Leaves a record of what was filled, and from where. */
export async function writeRecord(
  server: Server,
  { id, content }: ControlRecord,
  signal: AbortSignal,
): Promise<void> {
  await writeControl(server, id, content, signal);
}

/** The blueprints by the names of their collections. */
export async function listBlueprints(server: Server, signal: AbortSignal): Promise<Map<string, string>> {
  const blueprints = { _id: { $gte: BLUEPRINTS, $lt: BEHIND_BLUEPRINTS } };
  const found = await find(server, { filter: blueprints }, signal);
  return new Map(found.map(({ _id, text }) => [textOf(_id).slice(BLUEPRINTS.length), textOf(text)]));
}

export async function writeBlueprint(
  server: Server,
  collection: string,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  await writeControl(server, BLUEPRINTS + collection, { text }, signal);
}

/** The names of the collections that have checksums. */
export async function listChecksums(server: Server, signal: AbortSignal): Promise<string[]> {
  const checksums = { _id: { $gte: CHECKSUMS, $lt: BEHIND_CHECKSUMS } };
  const found = await find(server, { filter: checksums, projection: { _id: 1 } }, signal);
  return found.map(({ _id }) => textOf(_id).slice(CHECKSUMS.length));
}

const always = new AbortController().signal;

/** Reads checksums by the names of their collections, those that are asked for at about the same time together. */
export function checksumReader(server: Server): Batcher<string, Uint8Array | undefined> {
  return new Batcher(async (collections) => {
    const ids = collections.map((name) => CHECKSUMS + name);
    const found = await find(server, { filter: { _id: { $in: ids } } }, always);
    const byId = new Map(found.map(({ _id, bytes }) => [textOf(_id), bytes as unknown]));
    return ids.map((id) => {
      const bytes = byId.get(id);
      return bytes instanceof Binary ? bytes.value() : undefined;
    });
  });
}

/** Checksums, and the name of their collection. */
export interface NamedChecksums {
  readonly collection: string;
  readonly bytes: Uint8Array;
}

/** Writes checksums, those that come at about the same time together. */
export function checksumWriter(server: Server): Batcher<NamedChecksums, undefined> {
  return new Batcher(async (all) => {
    const updates = all.map(({ collection, bytes }) => {
      const _id = CHECKSUMS + collection;
      return { q: { _id }, u: { _id, bytes: new Binary(bytes) }, upsert: true };
    });
    await update(server, updates, always);
    return all.map(() => undefined);
  }, MOST_WRITTEN);
}

export async function removeChecksums(
  server: Server,
  collection: string,
  signal: AbortSignal,
): Promise<void> {
  const deletes = [{ q: { _id: CHECKSUMS + collection }, limit: 1 }];
  const doing = `write to ${CONTROL_COLLECTION}`;
  const answer = await server.run(
    { delete: CONTROL_COLLECTION, deletes, writeConcern: { w: "majority" } },
    { signal, doing },
  );
  assertWorked(server, answer, doing);
}

async function find(server: Server, options: Document, signal: AbortSignal): Promise<Document[]> {
  const found = await readAll(
    server,
    { find: CONTROL_COLLECTION, ...options, readConcern: { level: "majority" } },
    { collection: CONTROL_COLLECTION, signal, doing: `read ${CONTROL_COLLECTION}` },
  );
  return found.map(({ bytes }) => BSON.deserialize(bytes, { promoteValues: false }));
}
