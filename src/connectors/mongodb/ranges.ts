import { TYPE } from "../../bson/elements.ts";
import type { DocumentId } from "../../document.ts";
import type { CollectionInfo, IdRange } from "../connector.ts";
import { readAll } from "./listing.ts";
import { isLookable } from "./lookable.ts";
import type { Server } from "./server.ts";

/** Sampled ids for each range: enough that ranges come out alike in size. */
const SAMPLES_PER_RANGE = 16;

/**
 * Cuts a collection into half-open ranges that tile every possible `_id`, at ids sampled and sorted by the server.
 * Cuts decide only how the work is divided: whatever they are, each document lies in exactly one range.
 */
export async function cutRanges(
  server: Server,
  collection: CollectionInfo,
  pieces: number,
  signal: AbortSignal,
): Promise<readonly IdRange[]> {
  if (pieces <= 1 || collection.kind !== "collection") return [{}];
  const pipeline = [
    { $sample: { size: pieces * SAMPLES_PER_RANGE } },
    { $sort: { _id: 1 } },
    { $project: { _id: 1 } },
  ];
  const batchSize = pieces * SAMPLES_PER_RANGE + 1;
  const sampled = await readAll(
    server,
    { aggregate: collection.name, pipeline, cursor: { batchSize }, collation: { locale: "simple" } },
    { collection: collection.name, signal, doing: `sample ${collection.name}` },
  );
  const cuts: DocumentId[] = [];
  for (const [i, { id: cut }] of sampled.entries()) {
    if (i > 0 && i % SAMPLES_PER_RANGE === 0 && cut.key !== cuts.at(-1)?.key && isCut(cut)) cuts.push(cut);
  }
  return tile(cuts);
}

/** An id that can bound an index scan: the ends of the order cannot, and a few broken ids cannot be asked for. */
function isCut({ element }: DocumentId): boolean {
  return element[0] !== TYPE.minKey && element[0] !== TYPE.maxKey && isLookable(element);
}

function tile(cuts: readonly DocumentId[]): IdRange[] {
  const bounds: (DocumentId | undefined)[] = [undefined, ...cuts, undefined];
  return bounds.slice(0, -1).map((from, i) => {
    const to = bounds[i + 1];
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  });
}
