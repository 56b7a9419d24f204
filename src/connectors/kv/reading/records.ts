/** Keys as documents. */
import { isUtf8 } from "node:buffer";
import { elements, isNamed, TYPE } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import { Batch, type Doc, type DocumentId } from "../../../model/document.ts";
import { isOwnKey } from "../control/own-keys.ts";
import { encodeRecord } from "../entry/encode-record.ts";
import { idOfKey, keyOfId } from "../entry/key-id.ts";
import { type KeyToRead, type ReadKey, readKeys } from "./entries.ts";
import type { KvReading } from "./reading.ts";
import { scanKeys } from "./scan.ts";

/** Bytes of a batch, and documents where nobody asks for fewer. */
const BATCH_BYTES = 4_000_000;
const BATCH_DOCUMENTS = 1000;
/** Strings of two commands, which one request takes. */
const TOGETHER = 1000;

/** All keys that are wanted as documents, in no order. */
export async function* readRecords(
  reading: KvReading,
  batchSize: number | undefined,
  signal: AbortSignal,
  wants: (id: DocumentId) => boolean = () => true,
): AsyncGenerator<Batch> {
  await reading.expiries.look(signal);
  for await (const keys of packed(wanted(scanKeys(reading, signal), wants)))
    for await (const some of readKeys(reading, keys, true, signal))
      yield* batches(
        some.map((one) => recordOf(reading, one)),
        batchSize,
      );
}

async function* wanted(
  pages: AsyncIterable<readonly KeyToRead[]>,
  wants: (id: DocumentId) => boolean,
): AsyncGenerator<readonly KeyToRead[]> {
  for await (const page of pages) yield page.filter(({ key }) => wants(idOfKey(key)));
}

/** Strings that are read together are as many as fit, whatever the size of the pages: each command is billed. */
async function* packed(pages: AsyncIterable<readonly KeyToRead[]>): AsyncGenerator<readonly KeyToRead[]> {
  const strings: KeyToRead[] = [];
  for await (const page of pages) {
    const others = page.filter((one) => !isPlain(one));
    strings.push(...page.filter(isPlain));
    while (strings.length >= TOGETHER) yield strings.splice(0, TOGETHER);
    if (others.length > 0) yield others;
  }
  if (strings.length > 0) yield strings;
}

function isPlain({ key, type }: KeyToRead): boolean {
  return (type === undefined || type === "string") && isUtf8(key);
}

/** All keys as documents that hold nothing else. */
export async function* readIds(
  reading: KvReading,
  batchSize: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  for await (const page of scanKeys(reading, signal))
    yield* batches(
      page.map(({ key }) => documentOf(idOfKey(key), () => undefined)),
      batchSize,
    );
}

/** The documents of these ids, by `DocumentId.key`. */
export async function findRecords(
  reading: KvReading,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Doc>> {
  const keys = new Map<string, KeyToRead>();
  for (const id of ids) {
    const key = keyOfId(id);
    if (key !== undefined && !isOwnKey(key)) keys.set(id.key, { key, type: undefined });
  }
  const found = new Map<string, Doc>();
  if (keys.size === 0) return found;
  for await (const some of readKeys(reading, [...keys.values()], false, signal))
    for (const one of some) {
      const doc = recordOf(reading, one);
      found.set(doc.id.key, doc);
    }
  return found;
}

/** The field that stands in the document of a key that is not read, with the cause: nothing may take that document for what the key holds. */
const UNREAD = "unread";

function recordOf(reading: KvReading, one: ReadKey): Doc {
  const record = "problem" in one ? one : encodeRecord(one);
  if (!("problem" in record)) return record;
  const { problem } = record;
  const id = idOfKey(one.key);
  reading.inexact.saw("document", id, problem);
  const type = "content" in one ? one.content.type : one.type;
  return documentOf(id, (writer) => {
    writer.stringField("type", type);
    writer.stringField(UNREAD, problem);
  });
}

function documentOf(id: DocumentId, fill: (writer: BsonWriter) => void): Doc {
  const writer = new BsonWriter(id.element.length + 64);
  const start = writer.begin();
  writer.element(id.element[0] ?? TYPE.null, "_id");
  writer.raw(id.element.subarray(1));
  fill(writer);
  writer.end(start);
  return { id, bytes: writer.written() };
}

function* batches(documents: readonly Doc[], batchSize = BATCH_DOCUMENTS): Generator<Batch> {
  let some: Doc[] = [];
  let bytes = 0;
  for (const doc of documents) {
    if (some.length > 0 && (some.length >= batchSize || bytes + doc.bytes.length > BATCH_BYTES)) {
      yield Batch.of(some);
      [some, bytes] = [[], 0];
    }
    some.push(doc);
    bytes += doc.bytes.length;
  }
  if (some.length > 0) yield Batch.of(some);
}

/** Whether a document has the form of one whose key was not read. Anybody's may have. */
export function looksUnread({ bytes }: Doc): boolean {
  for (const element of elements(bytes)) if (isNamed(bytes, element, UNREAD)) return true;
  return false;
}
