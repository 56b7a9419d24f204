import { toOrdered } from "../../../bson/ordered.ts";
import type { Selection } from "../../collection.ts";
import type { Server } from "../connection/server.ts";
import { readAll } from "./listing.ts";
import { matchStage } from "./match.ts";

/** Exact number of documents, counted by the server now. A collection that does not exist has none. */
export async function countDocuments(
  server: Server,
  collection: string,
  selection: Selection,
  signal: AbortSignal,
): Promise<number> {
  const pipeline = [...matchStage(selection), { $count: "n" }];
  const [row] = await readAll(
    server,
    { aggregate: collection, pipeline, cursor: {}, readConcern: { level: "majority" } },
    { collection, signal, doing: `count ${collection}`, deadline: Number.POSITIVE_INFINITY },
  );
  return row === undefined ? 0 : Number(toOrdered(row.bytes).get("n"));
}

/** Whether the collection holds no document, by looking. */
export async function isEmpty(server: Server, collection: string, signal: AbortSignal): Promise<boolean> {
  const found = await readAll(
    server,
    {
      find: collection,
      limit: 1,
      singleBatch: true,
      projection: { _id: 1 },
      readConcern: { level: "majority" },
    },
    { collection, signal, doing: `inspect ${collection}` },
  );
  return found.length === 0;
}
