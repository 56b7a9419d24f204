import { Batch, type Doc } from "../../../model/document.ts";
import { digestOf, isSameDigest } from "../../../model/range-digest.ts";
import type { CollectionInfo, IdRange } from "../../collection.ts";
import type { Digester } from "../../powers/digests.ts";
import type { Server } from "../connection/server.ts";
import { readAll } from "../reading/listing.ts";
import { cutRanges, isCut } from "../reading/ranges.ts";
import { readBatches } from "../reading/read.ts";

/** Places of the collection that are looked at. */
const PLACES = 3;
/** Documents that are read at each place; all but the last of them are hashed. */
const DOCUMENTS = 5;
/** Where so many in a row have ids that bound no range, another place must do. */
const MOST_DOCUMENTS = 50;
/** Live writes may change a document between its reading and its hashing. */
const TRIES = 3;

/**
 * Whether the server's digests are those of the bytes that it holds: at the beginning, the end and a few places between,
 * asked in the very way in which they will be asked for. False for a collection in which there is nothing to try.
 */
export async function isProved(
  server: Server,
  collection: CollectionInfo,
  digest: Digester["digest"],
  signal: AbortSignal,
): Promise<boolean> {
  const places = await cutRanges(server, collection, PLACES, signal);
  const beginnings: IdRange[] = places.map(({ from }) => ({ from }));
  const last = await lastPlace(server, collection.name, signal);
  let proved = 0;
  for (const place of [...beginnings, ...last]) {
    const result = await tryPlace(server, collection.name, place, digest, signal);
    if (result === "wrong") return false;
    if (result === "right") proved++;
  }
  return proved > 0;
}

async function tryPlace(
  server: Server,
  collection: string,
  place: IdRange,
  digest: Digester["digest"],
  signal: AbortSignal,
): Promise<"right" | "wrong" | "nothing"> {
  for (let tried = 1; ; tried++) {
    const { range, documents } = await readPlace(server, collection, place, signal);
    if (documents.length === 0) return "nothing";
    const found = await digest({ range }, signal);
    if (isSameDigest(found, digestOf([Batch.of(documents)]))) return "right";
    if (tried === TRIES) return "wrong";
  }
}

/** Some documents from a place on, and the range that holds them and no others; none where no range can be drawn. */
async function readPlace(
  server: Server,
  collection: string,
  range: IdRange,
  signal: AbortSignal,
): Promise<{ range: IdRange; documents: readonly Doc[] }> {
  const documents: Doc[] = [];
  const options = {
    collection,
    range,
    order: "id",
    documentBytes: 1_000,
    batchSize: DOCUMENTS,
    signal,
  } as const;
  for await (const batch of readBatches(server, options)) {
    documents.push(...batch.docs());
    const end = documents.findIndex(({ id }, i) => i >= DOCUMENTS - 1 && isCut(id));
    const next = documents[end];
    if (next !== undefined) return { range: { ...range, to: next.id }, documents: documents.slice(0, end) };
    if (documents.length >= MOST_DOCUMENTS) return { range, documents: [] };
  }
  return { range, documents };
}

/** Where the last document is; nowhere in an empty collection. */
async function lastPlace(server: Server, collection: string, signal: AbortSignal): Promise<IdRange[]> {
  const found = await readAll(
    server,
    {
      find: collection,
      sort: { _id: -1 },
      hint: { _id: 1 },
      limit: 1,
      singleBatch: true,
      readConcern: { level: "majority" },
    },
    { collection, signal, doing: `inspect ${collection}` },
  );
  return found.filter(({ id }) => isCut(id)).map(({ id: from }) => ({ from }));
}
