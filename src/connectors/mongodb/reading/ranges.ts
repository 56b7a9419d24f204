import type { Document } from "mongodb";
import { compareIds } from "../../../bson/compare-ids.ts";
import { TYPE } from "../../../bson/elements.ts";
import { type Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, IdRange } from "../../collection.ts";
import type { Server } from "../connection/server.ts";
import { isQueryable } from "./id-value.ts";
import { readAll } from "./listing.ts";
import { matchStage } from "./match.ts";

/** Sampled ids for each range: enough that ranges come out alike in size. */
const SAMPLES_PER_RANGE = 16;
/** Larger ids make no cuts: they would be sent with each question about their range. */
const LARGEST_CUT = 1_000;
/** Bytes of ids that one sample may have altogether. */
const SAMPLE_BYTES = 16_000_000;
/** `{_id: <id>}` is an id's element with so many bytes around it. */
const AROUND_ID = 9;

/**
 * Cuts a collection, or a range of it, into half-open ranges that tile every possible `_id` of it, at ids sampled and
 * sorted by the server. Cuts decide only how the work is divided: whatever they are, each document lies in exactly one
 * range.
 */
export async function cutRanges(
  server: Server,
  collection: CollectionInfo,
  pieces: number,
  signal: AbortSignal,
  within: IdRange = {},
): Promise<readonly IdRange[]> {
  if (pieces <= 1 || collection.kind !== "collection") return [within];
  const sampled = await sampleIds(server, collection.name, pieces, within, signal);
  const cuts: DocumentId[] = [];
  for (let piece = 1; piece < pieces; piece++) {
    const cut = sampled[Math.floor((piece * sampled.length) / pieces)];
    if (cut !== undefined && isCut(cut) && isBetween(cut, cuts.at(-1) ?? within.from, within.to))
      cuts.push(cut);
  }
  return tile(cuts, within);
}

async function sampleIds(
  server: Server,
  collection: string,
  pieces: number,
  within: IdRange,
  signal: AbortSignal,
): Promise<readonly DocumentId[]> {
  const perRange = Math.floor(SAMPLE_BYTES / (pieces * LARGEST_CUT));
  const size = pieces * Math.max(1, Math.min(SAMPLES_PER_RANGE, perRange));
  const sample = async (small: Document[]): Promise<Doc[]> => {
    const pipeline = [
      ...matchStage({ range: within }),
      { $sample: { size } },
      { $sort: { _id: 1 } },
      { $project: { _id: 1 } },
      ...small,
    ];
    return await readAll(
      server,
      { aggregate: collection, pipeline, cursor: { batchSize: size + 1 }, collation: { locale: "simple" } },
      { collection, signal, doing: `sample ${collection}` },
    );
  };
  const isSmall = { $expr: { $lte: [{ $bsonSize: "$$ROOT" }, LARGEST_CUT + AROUND_ID] } };
  const sampled = await sample([{ $match: isSmall }]).catch((error: unknown) => {
    // Not every server can return the size of a document; what is too large is then left out here.
    if (signal.aborted || !(error instanceof DualsyncError) || error.retryable) throw error;
    return sample([]);
  });
  // Copies: an id must not keep the whole answer in memory.
  return sampled.map(({ id }) => new DocumentId(Uint8Array.from(id.element)));
}

/** An id that can bound an index scan: the ends of the order cannot, and a few broken ids cannot be asked for. */
export function isCut({ element }: DocumentId): boolean {
  const type = element[0];
  return (
    type !== TYPE.minKey && type !== TYPE.maxKey && element.length <= LARGEST_CUT + 1 && isQueryable(element)
  );
}

/** A server may give an id otherwise than it is stored, when it reads it from an index: then it may be out of place. */
function isBetween({ element }: DocumentId, after?: DocumentId, before?: DocumentId): boolean {
  return (
    (after === undefined || compareIds(after.element, element) < 0) &&
    (before === undefined || compareIds(element, before.element) < 0)
  );
}

function tile(cuts: readonly DocumentId[], within: IdRange): IdRange[] {
  const bounds: (DocumentId | undefined)[] = [within.from, ...cuts, within.to];
  return bounds.slice(0, -1).map((from, i) => ({ from, to: bounds[i + 1] }));
}
