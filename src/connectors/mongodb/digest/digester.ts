import type { Document } from "mongodb";
import { toOrdered } from "../../../bson/ordered.ts";
import { Batch, type Doc } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { RangeDigest } from "../../../model/range-digest.ts";
import { digestOf } from "../../../model/range-digest.ts";
import type { CollectionInfo, Selection } from "../../collection.ts";
import type { Digester } from "../../powers/digests.ts";
import { retry } from "../../wrappers/retry.ts";
import type { Server } from "../connection/server.ts";
import { isTransient } from "../failures/faults.ts";
import { isOutOfTime } from "../failures/link-faults.ts";
import { openCursor } from "../reading/cursor.ts";
import { matchStage } from "../reading/match.ts";
import { isProved } from "./digester-proof.ts";

const BYTES_OF = (value: unknown): Document => ({ $convert: { input: value, to: "binData" } });
const SHA256_OF = (value: unknown): Document => ({
  $hash: { input: BYTES_OF(value), algorithm: "sha256" },
});

/**
 * What `RangeHash` computes, as a pipeline. The whole document is asked for, so that it is fetched: what a server reads
 * from an index alone is not always what is stored.
 */
const DIGEST: readonly Document[] = [
  { $sort: { _id: 1 } },
  {
    $group: {
      _id: null,
      documents: { $sum: 1 },
      bytes: { $sum: { $bsonSize: "$$ROOT" } },
      h: { $push: SHA256_OF("$$ROOT") },
    },
  },
  { $project: { _id: 0, documents: 1, bytes: 1, sha256: SHA256_OF({ h: "$h" }) } },
];

/**
 * The server's own way to hash a collection, once it has reproduced what is computed here from the bytes of some of
 * its documents; undefined where it has not, cannot or may not. A digest that it refuses (too many documents, too
 * large, too slow) fails and is not worth another try.
 */
export async function digester(
  server: Server,
  collection: CollectionInfo,
  signal: AbortSignal,
): Promise<Digester | undefined> {
  if (collection.kind !== "collection" || !collection.ordered) return undefined;
  const digest: Digester["digest"] = (selection, end) => digestRange(server, collection.name, selection, end);
  try {
    return (await isProved(server, collection, digest, signal)) ? { digest } : undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof DualsyncError) || error.retryable) throw error;
    return undefined;
  }
}

async function digestRange(
  server: Server,
  collection: string,
  selection: Selection,
  signal: AbortSignal,
): Promise<RangeDigest> {
  const command = {
    aggregate: collection,
    pipeline: [...matchStage(selection), ...DIGEST],
    cursor: {},
    hint: { _id: 1 },
    readConcern: { level: "majority" },
    maxTimeMS: Math.max(1, Math.floor(server.deadline / 2)),
  };
  const mayRetry = (error: unknown): boolean => isTransient(error) && !isOutOfTime(error);
  try {
    const rows = await retry(server.policy, signal, mayRetry, () =>
      rowsOf(server, command, collection, signal),
    );
    return rows.length === 0 ? digestOf([]) : readRow(rows);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const fault = server.fault(error, `hash ${collection}`, collection);
    if (!isOutOfTime(error)) throw fault;
    throw new DualsyncError(fault.exit, fault.message, { cause: error, retryable: false });
  }
}

async function rowsOf(
  server: Server,
  command: Document,
  collection: string,
  signal: AbortSignal,
): Promise<readonly Doc[]> {
  const cursor = openCursor(server, command, { collection, doing: `hash ${collection}`, signal });
  try {
    const rows: Doc[] = [];
    // One row, in one batch or, from some routers, after an empty one.
    for (let batches = 0; batches < 3 && !cursor.ended; batches++)
      rows.push(...(await cursor.fetch()).docs());
    if (!cursor.ended) throw new RangeError("a digest does not end");
    return rows;
  } finally {
    await cursor.close();
  }
}

function readRow(rows: readonly Doc[]): RangeDigest {
  const row = toOrdered(Batch.of(rows.slice(0, 1)).bytes);
  const [documents, bytes] = [Number(row.get("documents")), Number(row.get("bytes"))];
  const hash = (row.get("sha256") as { buffer?: unknown } | undefined)?.buffer;
  const isSound =
    rows.length === 1 && documents > 0 && Number.isSafeInteger(documents) && Number.isSafeInteger(bytes);
  if (!isSound || !(hash instanceof Uint8Array) || hash.length !== 32)
    throw new RangeError("a digest is invalid");
  return { documents, bytes, sha256: Buffer.from(hash).toString("hex") };
}
