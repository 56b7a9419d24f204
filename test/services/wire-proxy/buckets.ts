import { BSON, type Document } from "mongodb";
import type { WireReply } from "./reply.ts";
import type { WireRequest } from "./request.ts";

/** The first wire version whose time-series are collections of their own. */
const WITHOUT_BUCKETS = 28;
const KEEP = { promoteValues: false, bsonRegExp: true } as const;

/**
 * Lists time-series as servers do that keep them in a collection of buckets: without an id of their own, which the
 * buckets have, if those are asked for.
 */
export function listBuckets(request: WireRequest, reply: WireReply): void {
  const answer = reply.decoded(KEEP);
  if (answer.cursor === undefined) return;
  const batch: Document[] = answer.cursor.firstBatch;
  answer.cursor.firstBatch = batch.flatMap((entry) => {
    if (entry.type !== "timeseries") return [entry];
    const { uuid, ...info } = entry.info;
    const name = `system.buckets.${entry.name}`;
    const buckets = { name, type: "collection", options: {}, info: { ...info, uuid } };
    return [{ ...entry, info }, ...(isAskedFor(request, name) ? [buckets] : [])];
  });
  reply.replace(answer);
}

export function hasBuckets(request: WireRequest, wireVersion: number | undefined): boolean {
  return request.name === "listCollections" && wireVersion !== undefined && wireVersion < WITHOUT_BUCKETS;
}

function isAskedFor(request: WireRequest, name: string): boolean {
  const filter = request.value("filter");
  const wanted = filter === undefined ? undefined : BSON.deserialize(filter).name;
  if (wanted === undefined) return true;
  return typeof wanted === "string"
    ? wanted === name
    : Array.isArray(wanted.$in) && wanted.$in.includes(name);
}
