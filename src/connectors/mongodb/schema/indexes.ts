import type { CollectionInfo, Metadata } from "../../collection.ts";
import { differingIndexParts, isMadeByServer } from "../../definitions/definition.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { codeText, isAnswer, isFull, isTransient, shapeOf } from "../failures/faults.ts";
import { readListing } from "../reading/listing.ts";
import { withoutVersions } from "./collections.ts";

const NAMESPACE_NOT_FOUND = 26;
const INDEX_NOT_FOUND = 27;

/** Index definitions as the server lists them, without the one on `_id` and without what only that server can know. */
export async function listIndexes(
  server: Server,
  collection: string,
  signal: AbortSignal,
): Promise<Metadata[]> {
  try {
    const found = await readListing(server, { listIndexes: collection, cursor: {} }, collection, signal);
    return found.filter((index) => !isIdIndex(index)).map(portable);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (shapeOf(cause).code === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

function isIdIndex(index: Metadata): boolean {
  const key = index.get("key");
  return (
    index.get("name") === "_id_" || (key instanceof Map && key.size === 1 && index.get("clustered") === true)
  );
}

/** Without the old server's namespace, a build option without effect since 4.2, and the collation library's version. */
function portable(index: Metadata): Metadata {
  const plain = new Map(withoutVersions(index));
  plain.delete("ns");
  plain.delete("background");
  const collation = plain.get("collation");
  if (collation instanceof Map && collation.get("locale") === "simple") plain.delete("collation");
  return plain;
}

/**
 * Builds the indexes that are missing: plain ones first, then unique ones, then those that delete documents (TTL), so
 * that nothing expires or is refused while data is still to come. `own`: dualsync created the collection, and what the server
 * has made with it is removed where it is not wanted: it would stand in the way of others.
 */
export async function buildIndexes(
  server: Server,
  { name: collection, options }: CollectionInfo,
  wanted: readonly Metadata[],
  own: boolean,
  signal: AbortSignal,
): Promise<NotReproduced[]> {
  const lost: NotReproduced[] = [];
  const there = await listIndexes(server, collection, signal);
  const isWanted = (index: Metadata) => wanted.some((one) => differingIndexParts(one, index).length === 0);
  const made = own ? there.find((index) => isMadeByServer(index, options) && !isWanted(index)) : undefined;
  const have = new Map(there.map((index) => [index.get("name"), index]));
  if (made !== undefined && (await drop(server, collection, made, signal))) have.delete(made.get("name"));
  const missing: Metadata[] = [];
  for (const index of wanted) {
    const same = have.get(index.get("name"));
    if (same === undefined) missing.push(index);
    else if (differingIndexParts(same, index).length > 0)
      lost.push({ key: keyOf(collection, index), reason: "the target has another index of this name" });
  }
  const complete = options.has("collation") ? missing.map(withCollation) : missing;
  for (const group of stages(complete)) lost.push(...(await buildGroup(server, collection, group, signal)));
  return lost;
}

/** @returns false when the server refuses; whoever compares knows that the server has made it */
async function drop(
  server: Server,
  collection: string,
  index: Metadata,
  signal: AbortSignal,
): Promise<boolean> {
  const command = { dropIndexes: collection, index: index.get("name"), writeConcern: { w: "majority" } };
  try {
    await server.run(command, { signal, doing: `remove an index of ${collection}`, collection });
    return true;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (signal.aborted || !isAnswer(cause)) throw error;
    return shapeOf(cause).code === INDEX_NOT_FOUND; // an earlier try, whose answer was lost, has removed it
  }
}

/** An index that says nothing would take on the collection's collation; one that is listed so has none. */
function withCollation(index: Metadata): Metadata {
  return index.has("collation") ? index : new Map(index).set("collation", { locale: "simple" });
}

function stages(indexes: readonly Metadata[]): Metadata[][] {
  const stage = (index: Metadata): number =>
    index.has("expireAfterSeconds") ? 2 : index.get("unique") === true ? 1 : 0;
  return [0, 1, 2]
    .map((wanted) => indexes.filter((index) => stage(index) === wanted))
    .filter((group) => group.length > 0);
}

/** One command for the whole group reads the data once; when it is refused, each index is tried alone to find out which. */
async function buildGroup(
  server: Server,
  collection: string,
  group: readonly Metadata[],
  signal: AbortSignal,
): Promise<NotReproduced[]> {
  const refusal = await build(server, collection, group, signal);
  if (refusal === undefined) return [];
  const [only, ...others] = group;
  if (only !== undefined && others.length === 0) return [{ key: keyOf(collection, only), reason: refusal }];
  const lost: NotReproduced[] = [];
  for (const index of group) lost.push(...(await buildGroup(server, collection, [index], signal)));
  return lost;
}

/** Why the server would not build them; undefined when it did. */
async function build(
  server: Server,
  collection: string,
  indexes: readonly Metadata[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const command = { createIndexes: collection, indexes, writeConcern: { w: "majority" } };
    await server.run(command, {
      signal,
      doing: `build indexes of ${collection}`,
      collection,
      deadline: Number.POSITIVE_INFINITY,
    });
    return undefined;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const cause = error instanceof Error ? error.cause : undefined;
    if (isTransient(cause) || isFull(cause) || shapeOf(cause).code === undefined) throw error;
    return shapeOf(cause).code === 11000
      ? "documents of the target have the same value, but the index is unique"
      : `the target's server refused to build it (${codeText(shapeOf(cause))})`;
  }
}

function keyOf(collection: string, index: Metadata): string {
  return `index ${collection}/${String(index.get("name"))}`;
}
