/** What a run has proved of a collection and left with it. When it is read again every field is validated. */
import { hash } from "node:crypto";
import { compareIds } from "../../bson/compare-ids.ts";
import type { DocumentId } from "../../model/document.ts";
import { count, date, idFromJson, idToJson, type Json, list, object, text } from "../progress/saved-json.ts";
import type { Segment } from "./segment.ts";

/** A collection of the target as it was proved to be, segment by segment; of what lies between them nothing is known. */
export interface Checksums {
  /** When that was certain. */
  readonly at: Date;
  /** Uids of the two collections: it says nothing of others under the same names. */
  readonly source: string;
  readonly target: string;
  /** In order, none over another. */
  readonly segments: readonly Segment[];
}

const VERSION = 1;
/** Of a hash as it is kept. */
export const HASH_BYTES = 16;
const CHECKSUM_BYTES = 32;
/** In place of a bound: where the segment before ends. */
const THERE = "";

export function checksumsToBytes({ at, source, target, segments }: Checksums): Uint8Array {
  const content: Json = {
    version: VERSION,
    at: at.toISOString(),
    source,
    target,
    segments: segments.map((segment, i) => segmentToJson(segment, segments[i - 1])),
  };
  const written = Buffer.from(JSON.stringify(content));
  return Buffer.concat([hash("sha256", written, "buffer"), written]);
}

/** Undefined when these are not, bit for bit, what `checksumsToBytes` has made. */
export function checksumsFromBytes(bytes: Uint8Array): Checksums | undefined {
  const written = Buffer.from(bytes.subarray(CHECKSUM_BYTES));
  if (!hash("sha256", written, "buffer").equals(bytes.subarray(0, CHECKSUM_BYTES))) return undefined;
  try {
    return checksumsFromJson(object(JSON.parse(written.toString("utf8"))));
  } catch {
    return undefined; // somebody else's
  }
}

/** The segment in which a document of this id lies. */
export function segmentOf({ segments }: Checksums, { element }: DocumentId): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { to } = segments[middle] as Segment;
    if (to === undefined || compareIds(element, to.element) < 0) high = middle;
    else low = middle + 1;
  }
  const found = segments[low];
  const begins = found?.from === undefined || compareIds(found.from.element, element) <= 0;
  return begins ? found : undefined;
}

/** Whether documents with this hash are those of the segment of the checksums. */
export function matchesChecksum({ hash }: Segment, digest: Uint8Array): boolean {
  return Buffer.compare(hash.subarray(0, HASH_BYTES), digest.subarray(0, HASH_BYTES)) === 0;
}

function segmentToJson({ from, to, documents, bytes, hash }: Segment, before: Segment | undefined) {
  const begins = from === undefined ? null : idToJson(from);
  const continues = before?.to !== undefined && idToJson(before.to) === begins;
  const cut = Buffer.from(hash.subarray(0, HASH_BYTES)).toString("base64");
  return [continues ? THERE : begins, to === undefined ? null : idToJson(to), documents, bytes, cut];
}

function checksumsFromJson(content: Json): Checksums {
  if (content.version !== VERSION) throw new TypeError("version");
  const segments: Segment[] = [];
  for (const entry of list(content.segments)) segments.push(segmentFromJson(list(entry), segments.at(-1)));
  return {
    at: date(content.at),
    source: text(content.source),
    target: text(content.target),
    segments,
  };
}

function segmentFromJson(entry: readonly unknown[], before: Segment | undefined): Segment {
  const [begin, end, documents, bytes, cut] = entry;
  const from = begin === THERE ? before?.to : begin === null ? undefined : idFromJson(begin);
  const to = end === null ? undefined : idFromJson(end);
  // Nothing can begin before every id but the first, and nothing comes after one that has no end.
  if (before !== undefined) assertFollows(before.to, from, 0);
  if (from !== undefined && to !== undefined) assertFollows(from, to, -1);
  const hash = Buffer.from(text(cut), "base64");
  if (hash.length !== HASH_BYTES) throw new TypeError("hash");
  return {
    from,
    to,
    documents: count(documents),
    bytes: count(bytes),
    hash,
  };
}

function assertFollows(first: DocumentId | undefined, second: DocumentId | undefined, most: 0 | -1): void {
  if (first === undefined || second === undefined) throw new TypeError("bounds");
  if (compareIds(first.element, second.element) > most) throw new TypeError("order");
}
