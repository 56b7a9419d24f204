/**
 * What a copy keeps of a run that ended before it had settled every key: a document `{ _id: 1, kind, since, open, parts, size }` and as many
 * parts as it says, `{ _id: 2 and so on, settled }`, with 16 bytes of the hash of each key.
 */
import { TYPE } from "../../../bson/elements.ts";
import type { Doc, DocumentId } from "../../../model/document.ts";
import { SeenIds } from "../../../model/seen-ids.ts";
import type { WriteSession } from "../../contract.ts";
import type { UnfinishedRun } from "../../copy-layouts.ts";
import {
  AGREEMENTS,
  binaryIn,
  countIn,
  ownDocument,
  ownId,
  putOwn,
  textIn,
  timeIn,
} from "./own-documents.ts";
import type { KeyStore } from "./places.ts";

const HEAD = ownId(1);

/** Bytes of a part, whole digests: a document holds 16 MB. */
const PART_BYTES = 1_000_000;
/** A head that says more is none. */
const MOST_PARTS = 4_000;

interface Head {
  readonly kind: string;
  readonly since: Date;
  readonly open: number;
  readonly parts: number;
  /** Keys of all parts together. */
  readonly size: number;
}

/** Undefined where there is none, or not all of it. */
export async function readUnfinished(
  store: KeyStore,
  signal: AbortSignal,
): Promise<UnfinishedRun | undefined> {
  const head = await readHead(store, signal);
  if (head === undefined) return undefined;
  const { kind, since, open, parts, size } = head;
  const settled = new SeenIds();
  for (let part = 0; part < parts; part++) {
    const id = partId(part);
    const found = (await store.lookup.find(AGREEMENTS, [id], signal)).get(id.key);
    const digests = found && binaryIn(found.bytes, "settled");
    if (digests === undefined) return undefined;
    settled.addDigests(digests);
  }
  return settled.size === size ? { kind, since, open, settled } : undefined;
}

/** How many documents it takes. */
export async function countUnfinished(store: KeyStore, signal: AbortSignal): Promise<number> {
  const head = await readHead(store, signal);
  return head === undefined ? 0 : 1 + head.parts;
}

async function readHead({ lookup }: KeyStore, signal: AbortSignal): Promise<Head | undefined> {
  const found = (await lookup.find(AGREEMENTS, [HEAD], signal)).get(HEAD.key);
  if (found === undefined) return undefined;
  const { bytes } = found;
  const [kind, since] = [textIn(bytes, "kind"), timeIn(bytes, "since")];
  const [open, parts, size] = ["open", "parts", "size"].map((name) => countIn(bytes, name));
  if (kind === undefined || since === undefined) return undefined;
  if (open === undefined || parts === undefined || size === undefined || parts > MOST_PARTS) return undefined;
  return { kind, since: new Date(since), open, parts, size };
}

/** Keeps it in place of the one there; undefined: there is to be none. */
export async function leaveUnfinished(
  store: KeyStore,
  session: WriteSession,
  run: UnfinishedRun | undefined,
  signal: AbortSignal,
): Promise<void> {
  const digests = run?.settled.digests() ?? new Uint8Array();
  const parts = Math.ceil(digests.length / PART_BYTES);
  if (parts > MOST_PARTS) return;
  const { parts: before = 0 } = (await readHead(store, signal)) ?? {};
  const { kind = "", since = new Date(), open = 0 } = run ?? {};
  const most = Math.max(before, parts);
  if (most === 0) return;
  // Parts of two runs do not belong together: with this size they mean nothing.
  await putOwn(store, session, [headOf({ kind, since, open, parts: most, size: 0 })], signal);
  for (let part = 0; part < parts; part++) {
    const some = digests.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    const document = ownDocument(partId(part), undefined, [], (writer) => {
      writer.element(TYPE.binary, "settled");
      writer.binary(some);
    });
    await putOwn(store, session, [document], signal);
  }
  const surplus = Array.from({ length: most }, (_, part) => partId(part)).slice(parts);
  if (surplus.length > 0) await session.remove(AGREEMENTS, surplus, signal);
  if (run === undefined) await session.remove(AGREEMENTS, [HEAD], signal);
  else await putOwn(store, session, [headOf({ kind, since, open, parts, size: run.settled.size })], signal);
}

function headOf({ kind, since, ...counts }: Head): Doc {
  return ownDocument(HEAD, undefined, [], (writer) => {
    writer.stringField("kind", kind);
    writer.element(TYPE.date, "since");
    writer.int64(since.getTime());
    for (const [name, count] of Object.entries(counts)) {
      writer.element(TYPE.int64, name);
      writer.int64(count);
    }
  });
}

function partId(part: number): DocumentId {
  return ownId(2 + part);
}
