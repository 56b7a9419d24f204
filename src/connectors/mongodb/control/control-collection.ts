/** The control collection in a database that dualsync writes to: the lease, and who filled what from where. */
import { Binary, BSON, type Document } from "mongodb";

import { type ControlRecord, historyOf, textOf } from "../../control/control-records.ts";
import type { History } from "../../powers/run-history.ts";
import type { Server } from "../connection/server.ts";
import { readAll } from "../reading/listing.ts";
import { CONTROL_COLLECTION } from "../schema/collections.ts";

const CHECKSUMS = "checksums ";
/** Behind every name that begins with `CHECKSUMS`: the character after a blank. */
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
  const answer = await server.run(
    { update: CONTROL_COLLECTION, updates: [statement], writeConcern: { w: "majority" } },
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
  // Checksums are large, and asked for where they are needed.
  const others = { $or: [{ _id: { $lt: CHECKSUMS } }, { _id: { $gte: BEHIND_CHECKSUMS } }] };
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

/** The names of the collections that have checksums. */
export async function listChecksums(server: Server, signal: AbortSignal): Promise<string[]> {
  const checksums = { _id: { $gte: CHECKSUMS, $lt: BEHIND_CHECKSUMS } };
  const found = await find(server, { filter: checksums, projection: { _id: 1 } }, signal);
  return found.map(({ _id }) => textOf(_id).slice(CHECKSUMS.length));
}

export async function readChecksums(
  server: Server,
  collection: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes: unknown = (await readControl(server, CHECKSUMS + collection, signal))?.bytes;
  return bytes instanceof Binary ? bytes.value() : undefined;
}

export async function writeChecksums(
  server: Server,
  collection: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await writeControl(server, CHECKSUMS + collection, { bytes: new Binary(bytes) }, signal);
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
