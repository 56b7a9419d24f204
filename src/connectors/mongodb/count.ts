import type { Document } from "mongodb";
import { toOrdered } from "../../bson/ordered.ts";
import type { Selection } from "../connector.ts";
import { idValue } from "./id-value.ts";
import { readAll } from "./listing.ts";
import type { Server } from "./server.ts";

/** Exact number of documents, counted by the server now. A collection that does not exist has none. */
export async function countDocuments(
  server: Server,
  collection: string,
  selection: Selection,
  signal: AbortSignal,
): Promise<number> {
  const { filter, range } = selection;
  const bounds: Document[] = [];
  if (range?.from !== undefined) bounds.push({ $gte: ["$_id", { $literal: idValue(range.from) }] });
  if (range?.to !== undefined) bounds.push({ $lt: ["$_id", { $literal: idValue(range.to) }] });
  const match = [
    ...(filter === undefined ? [] : [filter]),
    ...(bounds.length === 0 ? [] : [{ $expr: { $and: bounds } }]),
  ];
  const pipeline = [...(match.length === 0 ? [] : [{ $match: { $and: match } }]), { $count: "n" }];
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
    { collection, signal, doing: `look into ${collection}` },
  );
  return found.length === 0;
}
