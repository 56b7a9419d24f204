/**
 * What a copy keeps of the agreements with its primary, in a collection of their own: a document for each key, `{ _id, primary, copy,
 * expiresAt?, replaced?, missingSince? }`, the hashes as their 32 bytes. What the copy was begun as is a document under an `_id` that no
 * key has. Fields that are not known are kept.
 */
import { TYPE } from "../../../bson/elements.ts";
import type { BsonWriter } from "../../../bson/writer.ts";
import type { Doc } from "../../../model/document.ts";
import type { WriteSession } from "../../contract.ts";
import type { LaidOutSession, LayoutFound } from "../../copy-layouts.ts";
import type { Agreement, AgreementReader, AgreementWriter } from "../../powers/agreements.ts";
import { keyOfId } from "../entry/key-id.ts";
import {
  AGREEMENTS,
  binaryIn,
  fieldIn,
  ownDocument,
  ownId,
  putOwn,
  textIn,
  timeIn,
} from "./own-documents.ts";
import type { KeyStore } from "./places.ts";
import { plainCollection } from "./record-places.ts";
import { writeDate } from "./records.ts";
import { countUnfinished } from "./unfinished.ts";

const INFO = plainCollection(AGREEMENTS);

const HASH_BYTES = 32;

const BEGUN = ownId(0);

const AGREED = ["_id", "primary", "copy", "expiresAt", "replaced", "missingSince"];
const REMEMBERED = ["_id", "layout", "from"];

export function agreementReader(store: KeyStore): AgreementReader {
  return {
    async find(ids, signal) {
      const found = new Map<string, Agreement>();
      for (const [key, doc] of await store.lookup.find(AGREEMENTS, ids, signal)) {
        const agreement = readAgreement(doc);
        if (agreement !== undefined) found.set(key, agreement);
      }
      return found;
    },
    async *read(signal) {
      for await (const batch of store.read(INFO, { signal })) {
        const some = batch.docs().map(readAgreement);
        batch.release();
        yield some.filter((agreement) => agreement !== undefined);
      }
    },
    async count(signal) {
      const [all, begun, unfinished] = await Promise.all([
        store.count(AGREEMENTS, {}, signal),
        store.lookup.find(AGREEMENTS, [BEGUN], signal),
        countUnfinished(store, signal),
      ]);
      return Math.max(0, all - begun.size - unfinished);
    },
  };
}

export function agreementWriter(store: KeyStore, session: WriteSession): AgreementWriter {
  return {
    async leave(agreements, signal) {
      const ids = agreements.map(({ id }) => id);
      const there = await store.lookup.find(AGREEMENTS, ids, signal);
      const documents = agreements.map((agreement) => writeAgreement(agreement, there.get(agreement.id.key)));
      await putOwn(store, session, documents, signal);
    },
    async forget(ids, signal) {
      await session.remove(AGREEMENTS, ids, signal);
    },
  };
}

/** What `rememberer` noted. */
export async function readRemembered(
  { lookup }: Pick<KeyStore, "lookup">,
  signal: AbortSignal,
): Promise<LayoutFound["remembered"]> {
  const doc = (await lookup.find(AGREEMENTS, [BEGUN], signal)).get(BEGUN.key);
  const [layout, from] = doc === undefined ? [] : ["layout", "from"].map((name) => textIn(doc.bytes, name));
  return layout === undefined || from === undefined ? undefined : { layout, from };
}

export function rememberer(store: KeyStore, session: WriteSession): LaidOutSession["remember"] {
  return async (layout, from, signal) => {
    const there = (await store.lookup.find(AGREEMENTS, [BEGUN], signal)).get(BEGUN.key);
    const document = ownDocument(BEGUN, there, REMEMBERED, (writer) => {
      writer.stringField("layout", layout);
      writer.stringField("from", from);
    });
    await putOwn(store, session, [document], signal);
  };
}

/** Undefined for what is none: then nothing is agreed on, and nothing is overwritten for its sake. */
function readAgreement({ id, bytes }: Doc): Agreement | undefined {
  if (keyOfId(id) === undefined) return undefined;
  const [primary, copy] = [hashIn(bytes, "primary"), hashIn(bytes, "copy")];
  if (primary === undefined || copy === undefined) return undefined;
  const [expiresAt, missingSince] = [timeIn(bytes, "expiresAt"), timeIn(bytes, "missingSince")];
  const replaced = replacedIn(bytes);
  return {
    id: id.copy(),
    primary,
    copy,
    expiresAt,
    ...(replaced === undefined ? {} : { replaced }),
    ...(missingSince === undefined ? {} : { missingSince: new Date(missingSince) }),
  };
}

function replacedIn(bytes: Uint8Array): Agreement["replaced"] {
  const replaced = fieldIn(bytes, "replaced");
  if (replaced?.type !== TYPE.object) return undefined;
  const within = bytes.subarray(replaced.start, replaced.end);
  return { primary: hashIn(within, "primary"), copy: hashIn(within, "copy") };
}

function writeAgreement(agreement: Agreement, there: Doc | undefined): Doc {
  const { id, primary, copy, expiresAt, replaced, missingSince } = agreement;
  return ownDocument(id, there, AGREED, (writer) => {
    writeHash(writer, "primary", primary);
    writeHash(writer, "copy", copy);
    if (expiresAt !== undefined) writeDate(writer, "expiresAt", new Date(expiresAt));
    if (replaced !== undefined) {
      writer.element(TYPE.object, "replaced");
      const start = writer.begin();
      if (replaced.primary !== undefined) writeHash(writer, "primary", replaced.primary);
      if (replaced.copy !== undefined) writeHash(writer, "copy", replaced.copy);
      writer.end(start);
    }
    if (missingSince !== undefined) writeDate(writer, "missingSince", missingSince);
  });
}

/** Hexadecimal digits, of 32 bytes or as text. */
function hashIn(bytes: Uint8Array, name: string): string | undefined {
  const content = binaryIn(bytes, name);
  if (content !== undefined)
    return content.length === HASH_BYTES ? Buffer.from(content).toString("hex") : undefined;
  const text = textIn(bytes, name);
  return text !== undefined && /^[\da-f]{64}$/.test(text) ? text : undefined;
}

function writeHash(writer: BsonWriter, name: string, hash: string): void {
  writer.element(TYPE.binary, name);
  writer.binary(Buffer.from(hash, "hex"));
}
