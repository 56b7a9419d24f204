import type { Document } from "mongodb";
import type { Selection } from "../connector.ts";
import { idValue } from "./read.ts";
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
  const answer = await server.run(
    { aggregate: collection, pipeline, cursor: {}, readConcern: { level: "majority" } },
    { signal, doing: `count ${collection}`, deadline: Number.POSITIVE_INFINITY },
  );
  const [row] = (answer.cursor as { firstBatch?: Document[] } | undefined)?.firstBatch ?? [];
  return row === undefined ? 0 : Number(row.n);
}

/** Whether the collection holds no document, by looking. */
export async function isEmpty(server: Server, collection: string, signal: AbortSignal): Promise<boolean> {
  const answer = await server.run(
    {
      find: collection,
      limit: 1,
      singleBatch: true,
      projection: { _id: 1 },
      readConcern: { level: "majority" },
    },
    { signal, doing: `look into ${collection}` },
  );
  return ((answer.cursor as { firstBatch?: Document[] } | undefined)?.firstBatch ?? []).length === 0;
}
