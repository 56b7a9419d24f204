import { compareIds } from "../../../bson/compare-ids.ts";
import { Batch, type Doc } from "../../../model/document.ts";
import type { RangeDigest } from "../../../model/range-digest.ts";
import { isSameDigest } from "../../../model/range-digest.ts";
import type { IdRange } from "../../collection.ts";
import type { RecordDigester } from "../../powers/digests.ts";
import type { Project } from "../api/project.ts";
import { cutKeys } from "../reading/ranges.ts";
import { rowsOf } from "../reading/rows.ts";
import type { Table } from "../schema/table.ts";

/** Places of the table that are looked at, besides its end. */
const PLACES = 3;
/** Rows that are read at each place; all but the last of them are hashed, unless there are no more. */
const ROWS = 7;
/** Into so many pieces they are cut. */
const PIECES = 3;
/** Live writes may change a row between its reading and its hashing. */
const TRIES = 3;

/** `wrong`: of rows that stayed as they were it is another one. `none`: there was nothing to try it on, or it kept changing. */
export type Proof = "right" | "wrong" | "none";

/**
 * Whether the project's digests are those of its rows as they are read and made documents: at the beginning, the end and a
 * few places between, asked in the very ways in which they will be asked for.
 */
export async function proofOf(
  project: Project,
  table: Table,
  digester: RecordDigester,
  signal: AbortSignal,
): Promise<Proof> {
  const places = await cutKeys(project, table, { pieces: PLACES }, signal);
  const last = await rowsOf(project, table).end("last", signal);
  const ends: IdRange[] = last === undefined ? [] : [{ from: last }];
  const beginnings = places.map(({ from }): IdRange => ({ from }));
  const results = await Promise.all(
    [...beginnings, ...ends].map((place) => tryPlace(project, table, { digester, place }, signal)),
  );
  if (results.includes("wrong")) return "wrong";
  return results.includes("right") && !results.includes("moving") ? "right" : "none";
}

interface DigestTrial {
  readonly digester: RecordDigester;
  readonly place: IdRange;
}

async function tryPlace(
  project: Project,
  table: Table,
  { digester, place }: DigestTrial,
  signal: AbortSignal,
): Promise<"right" | "wrong" | "moving" | "nothing"> {
  for (let tried = 1; ; tried++) {
    const { range, documents } = await readPlace(project, table, place, signal);
    if (documents.length === 0) return "nothing";
    const whole = await digester.digest({ range }, signal);
    const pieces = await digester.digestPieces(range, PIECES, signal);
    const isRight = isDigestOf(whole, digester, documents) && arePieces(pieces, range, digester, documents);
    if (isRight) return "right";
    const again = await readPlace(project, table, place, signal);
    if (Buffer.compare(Batch.of(again.documents).bytes, Batch.of(documents).bytes) === 0) return "wrong";
    if (tried === TRIES) return "moving";
  }
}

/** Some rows from a place on, and the range that holds them and no others. */
async function readPlace(
  project: Project,
  table: Table,
  place: IdRange,
  signal: AbortSignal,
): Promise<{ range: IdRange; documents: readonly Doc[] }> {
  const documents: Doc[] = [];
  for await (const batch of rowsOf(project, table).read({ range: place, batchSize: ROWS, signal })) {
    documents.push(...batch.docs());
    const next = documents[ROWS - 1];
    if (next !== undefined)
      return { range: { ...place, to: next.id }, documents: documents.slice(0, ROWS - 1) };
  }
  return { range: place, documents };
}

function isDigestOf(found: RangeDigest, digester: RecordDigester, documents: readonly Doc[]): boolean {
  const hash = digester.hash();
  hash.add(Batch.of(documents));
  return isSameDigest(found, hash.digest());
}

/** Whether they tile the range, each with the documents that lie in it. */
function arePieces(
  pieces: Awaited<ReturnType<RecordDigester["digestPieces"]>>,
  whole: IdRange,
  digester: RecordDigester,
  documents: readonly Doc[],
): boolean {
  if (pieces.length !== Math.min(PIECES, documents.length)) return false;
  let at = 0;
  return pieces.every(({ range, digest }, i) => {
    const own = documents.slice(at, at + digest.documents);
    at += digest.documents;
    const begins = i === 0 ? whole.from : own[0]?.id;
    const ends = i === pieces.length - 1 ? whole.to : documents[at]?.id;
    return isSameId(range.from, begins) && isSameId(range.to, ends) && isDigestOf(digest, digester, own);
  });
}

function isSameId(a: IdRange["from"], b: IdRange["from"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  return compareIds(a.element, b.element) === 0;
}
