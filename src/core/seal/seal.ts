/** What a run has proved of a collection, left with it, and read again, believing nothing. */
import { hash } from "node:crypto";
import { compareIds } from "../../bson/compare-ids.ts";
import type { DocumentId } from "../../document.ts";
import { count, date, idFromJson, idToJson, type Json, list, object, text } from "../saved-json.ts";
import type { Stretch } from "./stretch.ts";

/** A collection of the target as it was proved to be, stretch by stretch; of what lies between them nothing is known. */
export interface Seal {
  /** When that was certain. */
  readonly at: Date;
  /** Incarnations of the two collections: it says nothing of others under the same names. */
  readonly source: string;
  readonly target: string;
  /** In order, none over another. */
  readonly stretches: readonly Stretch[];
}

const VERSION = 1;
/** Of a hash as it is kept. */
export const HASH_BYTES = 16;
const CHECKSUM_BYTES = 32;
/** In place of a bound: where the stretch before ends. */
const THERE = "";

export function sealToBytes({ at, source, target, stretches }: Seal): Uint8Array {
  const content: Json = {
    version: VERSION,
    at: at.toISOString(),
    source,
    target,
    stretches: stretches.map((stretch, i) => stretchToJson(stretch, stretches[i - 1])),
  };
  const written = Buffer.from(JSON.stringify(content));
  return Buffer.concat([hash("sha256", written, "buffer"), written]);
}

/** Undefined when these are not, bit for bit, what `sealToBytes` has made. */
export function sealFromBytes(bytes: Uint8Array): Seal | undefined {
  const written = Buffer.from(bytes.subarray(CHECKSUM_BYTES));
  if (!hash("sha256", written, "buffer").equals(bytes.subarray(0, CHECKSUM_BYTES))) return undefined;
  try {
    return sealFromJson(object(JSON.parse(written.toString("utf8"))));
  } catch {
    return undefined; // somebody else's
  }
}

/** The stretch in which a document of this id lies. */
export function stretchOf({ stretches }: Seal, { element }: DocumentId): Stretch | undefined {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { to } = stretches[middle] as Stretch;
    if (to === undefined || compareIds(element, to.element) < 0) high = middle;
    else low = middle + 1;
  }
  const found = stretches[low];
  const begins = found?.from === undefined || compareIds(found.from.element, element) <= 0;
  return begins ? found : undefined;
}

/** Whether documents with this hash are those of the stretch of a seal. */
export function isSealed({ hash }: Stretch, digest: Uint8Array): boolean {
  return Buffer.compare(hash.subarray(0, HASH_BYTES), digest.subarray(0, HASH_BYTES)) === 0;
}

function stretchToJson({ from, to, documents, bytes, hash }: Stretch, before: Stretch | undefined) {
  const begins = from === undefined ? null : idToJson(from);
  const continues = before?.to !== undefined && idToJson(before.to) === begins;
  const cut = Buffer.from(hash.subarray(0, HASH_BYTES)).toString("base64");
  return [continues ? THERE : begins, to === undefined ? null : idToJson(to), documents, bytes, cut];
}

function sealFromJson(content: Json): Seal {
  if (content.version !== VERSION) throw new TypeError("version");
  const stretches: Stretch[] = [];
  for (const entry of list(content.stretches)) stretches.push(stretchFromJson(list(entry), stretches.at(-1)));
  return {
    at: date(content.at),
    source: text(content.source),
    target: text(content.target),
    stretches,
  };
}

function stretchFromJson(entry: readonly unknown[], before: Stretch | undefined): Stretch {
  const [begin, end, documents, bytes, cut] = entry;
  const from = begin === THERE ? before?.to : begin === null ? undefined : idFromJson(begin);
  const to = end === null ? undefined : idFromJson(end);
  // Nothing can begin before every id but the first, and nothing comes after one that has no end.
  if (before !== undefined) mustFollow(before.to, from, 0);
  if (from !== undefined && to !== undefined) mustFollow(from, to, -1);
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

function mustFollow(first: DocumentId | undefined, second: DocumentId | undefined, most: 0 | -1): void {
  if (first === undefined || second === undefined) throw new TypeError("bounds");
  if (compareIds(first.element, second.element) > most) throw new TypeError("order");
}
