/** dualsync's own collection in a database that it writes to: the lease, and who filled what from where. */
import { Binary, BSON, type Document } from "mongodb";
import type { History } from "../connector.ts";
import { type ControlRecord, historyOf, textOf } from "../control-records.ts";
import { OWN_COLLECTION } from "./collections.ts";
import { readAll } from "./listing.ts";
import type { Server } from "./server.ts";

const SEAL = "seal ";
/** Behind every name that begins with `SEAL`: the character after a blank. */
const BEHIND_SEALS = "seal!";

/** A document of dualsync's own collection; undefined when it is not there. */
export async function readOwn(
  server: Server,
  id: string,
  signal: AbortSignal,
): Promise<Document | undefined> {
  return (await find(server, { filter: { _id: id }, limit: 1, singleBatch: true }, signal))[0];
}

/** Replaces a document of dualsync's own collection. */
export async function writeOwn(
  server: Server,
  id: string,
  content: Document,
  signal: AbortSignal,
): Promise<void> {
  const replacement = { q: { _id: id }, u: { _id: id, ...content }, upsert: true };
  await updateOwn(server, replacement, signal);
}

/** Runs one update statement there. @returns the server's answer */
export async function updateOwn(server: Server, statement: Document, signal: AbortSignal): Promise<Document> {
  const answer = await server.run(
    { update: OWN_COLLECTION, updates: [statement], writeConcern: { w: "majority" } },
    { signal, doing: `write to ${OWN_COLLECTION}` },
  );
  mustHaveWorked(server, answer, `write to ${OWN_COLLECTION}`);
  return answer;
}

function mustHaveWorked(server: Server, answer: Document, doing: string): void {
  const failed = Array.isArray(answer.writeErrors) ? answer.writeErrors[0] : answer.writeConcernError;
  if (failed !== undefined) throw server.fault(failed, doing);
}

export async function readHistory(server: Server, signal: AbortSignal): Promise<History> {
  // Seals are large, and asked for where they are needed.
  const others = { $or: [{ _id: { $lt: SEAL } }, { _id: { $gte: BEHIND_SEALS } }] };
  const documents = await find(server, { filter: others }, signal);
  return historyOf(documents.map((document) => [textOf(document._id), document]));
}

/** Leaves a record of what was filled, and from where. */
export async function writeRecord(
  server: Server,
  { id, content }: ControlRecord,
  signal: AbortSignal,
): Promise<void> {
  await writeOwn(server, id, content, signal);
}

/** The names of the collections that have a seal. */
export async function listSeals(server: Server, signal: AbortSignal): Promise<string[]> {
  const seals = { _id: { $gte: SEAL, $lt: BEHIND_SEALS } };
  const found = await find(server, { filter: seals, projection: { _id: 1 } }, signal);
  return found.map(({ _id }) => textOf(_id).slice(SEAL.length));
}

export async function readSeal(
  server: Server,
  collection: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes: unknown = (await readOwn(server, SEAL + collection, signal))?.bytes;
  return bytes instanceof Binary ? bytes.value() : undefined;
}

export async function writeSeal(
  server: Server,
  collection: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await writeOwn(server, SEAL + collection, { bytes: new Binary(bytes) }, signal);
}

export async function removeSeal(server: Server, collection: string, signal: AbortSignal): Promise<void> {
  const deletes = [{ q: { _id: SEAL + collection }, limit: 1 }];
  const doing = `write to ${OWN_COLLECTION}`;
  const answer = await server.run(
    { delete: OWN_COLLECTION, deletes, writeConcern: { w: "majority" } },
    { signal, doing },
  );
  mustHaveWorked(server, answer, doing);
}

async function find(server: Server, options: Document, signal: AbortSignal): Promise<Document[]> {
  const found = await readAll(
    server,
    { find: OWN_COLLECTION, ...options, readConcern: { level: "majority" } },
    { collection: OWN_COLLECTION, signal, doing: `read ${OWN_COLLECTION}` },
  );
  return found.map(({ bytes }) => BSON.deserialize(bytes, { promoteValues: false }));
}
