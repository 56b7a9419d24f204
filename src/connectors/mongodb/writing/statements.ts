/** Raw BSON of write statements: `_id`s and documents go to the server as the bytes that they are. */
import { elements, TYPE, writeInt32 } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import { Batch, type Doc, type DocumentId } from "../../../model/document.ts";
import type { GuardedWrite } from "../../powers/guarded-writes.ts";

const Q = Uint8Array.of(TYPE.object, 0x71, 0);
const U = Uint8Array.of(TYPE.object, 0x75, 0);
const UPSERT_TRUE = Uint8Array.from([TYPE.boolean, ...Buffer.from("upsert\0"), 1]);
const LIMIT_ONE = Uint8Array.from([TYPE.int32, ...Buffer.from("limit\0"), 1, 0, 0, 0]);
const END = Uint8Array.of(0);

/** `{ q: { _id }, u: <document>, upsert: true }` for each document of the batch, back to back. */
export function replaceStatements(batch: Batch): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < batch.length; i++) {
    const document = batch.bytesOf(i);
    pushDocument(parts, [Q, ...idQuery(batch.idOf(i)), U, document, UPSERT_TRUE]);
  }
  return Buffer.concat(parts);
}

/** `{ q: { _id }, limit: 1 }` for each id, back to back. */
export function removeStatements(ids: readonly DocumentId[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const id of ids) pushDocument(parts, [Q, ...idQuery(id), LIMIT_ONE]);
  return Buffer.concat(parts);
}

/** A write of a document that is there: it is replaced or removed. */
export interface GuardedChange extends GuardedWrite {
  readonly expected: Doc;
}

/** The variable that holds the expected document where it does not stand in the statement itself. */
export const EXPECTED = "expected";

/** What stands around the documents of a statement, and around the id, which is there twice. */
const AROUND = 300;

/** A little more than the bytes of the statement. */
export function guardedLength({ id, expected, wanted }: GuardedChange): number {
  return AROUND + id.element.length + expected.bytes.length + (wanted?.bytes.length ?? 0);
}

/**
 * For each write a statement that does nothing where the document is not what is expected: `{ q: { _id, $expr }, collation }` with
 * `u` or `limit`. `apart`: the expected document is in the variable `EXPECTED` of the command. A server compares numbers by their value;
 * with the number of bytes besides, what is taken for the same differs at most in: Long or Double, 0 or -0, the zeros of a decimal, the
 * payload of a NaN, string or symbol.
 */
export function guardedStatements(writes: readonly GuardedChange[], apart: boolean): Batch {
  const writer = new BsonWriter(writes.reduce((sum, write) => sum + guardedLength(write), 0));
  const ends = writes.map((write) => {
    const start = writer.begin();
    guard(writer, write, apart);
    if (write.wanted === undefined) writer.raw(LIMIT_ONE);
    else replacement(writer, write.wanted.bytes);
    // Whatever the collection's own collation holds equal.
    within(writer, TYPE.object, "collation", () => writer.stringField("locale", "simple"));
    writer.end(start);
    return writer.length;
  });
  return new Batch(writer.written(), ends);
}

function guard(writer: BsonWriter, { id, expected: { bytes } }: GuardedChange, apart: boolean): void {
  const equal = (name: string, left: () => void, right: () => void): void =>
    within(writer, TYPE.object, name, () =>
      within(writer, TYPE.array, "$eq", () => {
        left();
        right();
      }),
    );
  within(writer, TYPE.object, "q", () => {
    within(writer, TYPE.object, "_id", () => {
      writer.element(id.element[0] as number, "$eq");
      writer.raw(id.element.subarray(1));
    });
    within(writer, TYPE.object, "$expr", () =>
      within(writer, TYPE.array, "$and", () => {
        equal(
          "0",
          () => within(writer, TYPE.object, "0", () => writer.stringField("$bsonSize", "$$ROOT")),
          () => {
            writer.element(TYPE.int32, "1");
            writer.int32(bytes.length);
          },
        );
        equal(
          "1",
          () => writer.stringField("0", "$$ROOT"),
          () => (apart ? writer.stringField("1", `$$${EXPECTED}`) : literal(writer, "1", bytes)),
        );
      }),
    );
  });
}

/** `u`: the document, or a pipeline that gives it where an update takes no such document. */
function replacement(writer: BsonWriter, document: Uint8Array): void {
  if (!hasOperatorName(document)) {
    writer.element(TYPE.object, "u");
    writer.raw(document);
  } else
    within(writer, TYPE.array, "u", () =>
      within(writer, TYPE.object, "0", () => literal(writer, "$replaceWith", document)),
    );
}

/** Whether a name at the top of the document begins with `$`. */
export function hasOperatorName(document: Uint8Array): boolean {
  for (const { nameStart } of elements(document)) if (document[nameStart] === 0x24) return true;
  return false;
}

function literal(writer: BsonWriter, name: string, document: Uint8Array): void {
  within(writer, TYPE.object, name, () => {
    writer.element(TYPE.object, "$literal");
    writer.raw(document);
  });
}

function within(writer: BsonWriter, type: number, name: string, content: () => void): void {
  writer.element(type, name);
  const start = writer.begin();
  content();
  writer.end(start);
}

/** `{ _id: { $eq: <id> } }`: $eq, so that an id that looks like an operator stays data. */
function idQuery(id: DocumentId): Uint8Array[] {
  const inner: Uint8Array[] = [];
  pushDocument(inner, [Uint8Array.of(id.element[0] as number), Buffer.from("$eq\0"), id.element.subarray(1)]);
  const outer: Uint8Array[] = [];
  pushDocument(outer, [Uint8Array.of(TYPE.object), Buffer.from("_id\0"), ...inner]);
  return outer;
}

function pushDocument(parts: Uint8Array[], content: readonly Uint8Array[]): void {
  const length = new Uint8Array(4);
  writeInt32(
    length,
    content.reduce((sum, part) => sum + part.length, 5),
    0,
  );
  parts.push(length, ...content, END);
}
