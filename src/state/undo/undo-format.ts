/**
 * The format of an undo journal: records, and what is in them. Each record is tied to the one before it by its checksum,
 * so that none can be altered, left out, moved or taken from another journal; and its length has a checksum of its own, so
 * that a journal that merely ends early (the run was killed while it wrote) is distinguished from one that is damaged.
 */
import { createHash } from "node:crypto";
import { DualsyncError } from "../../model/errors.ts";

export const FORMAT = 1;

/** Stands at the beginning of the file; name and format come first in every format to come. */
export const START = Buffer.from(`{"dualsync":"undo","format":${FORMAT}}\n`);

const KINDS = { head: 1, entries: 2, mark: 3, altered: 4 } as const;
export type FrameKind = keyof typeof KINDS;

const CHECK = 8;
/** Kind (1 byte), length of the payload (4), checksum of both (8). */
export const HEADER = 5 + CHECK;
export const SUM = 32;

/** No payload is longer: what claims to be is damaged. */
const LONGEST = 128 * 1024 * 1024;

/** What the first record is tied to. */
export const SEED = sha256(START);

/** Where a journal ends, and what the next record is tied to. */
export interface JournalEnd {
  readonly offset: number;
  readonly sum: Buffer;
}

export function encodeFrame(kind: FrameKind, payload: Uint8Array, before: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length + SUM);
  frame.writeUInt8(KINDS[kind], 0);
  frame.writeUInt32LE(payload.length, 1);
  check(frame, before).copy(frame, 5);
  frame.set(payload, HEADER);
  sha256(before, frame.subarray(0, HEADER + payload.length)).copy(frame, HEADER + payload.length);
  return frame;
}

/** Kind and length of the record that begins with these bytes; undefined when they are not as they were written. */
export function decodeHeader(
  header: Buffer,
  before: Uint8Array,
): { kind: FrameKind; length: number } | undefined {
  if (!check(header, before).equals(header.subarray(5, HEADER))) return undefined;
  const number = header.readUInt8(0);
  const kind = (Object.keys(KINDS) as FrameKind[]).find((name) => KINDS[name] === number);
  const length = header.readUInt32LE(1);
  return kind === undefined || length > LONGEST ? undefined : { kind, length };
}

function check(header: Buffer, before: Uint8Array): Buffer {
  return sha256(before, header.subarray(0, 5)).subarray(0, CHECK);
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** How long a journal is kept, in days. */
export const KEPT_DAYS = 30;

/** Whose changes a journal holds. */
export interface UndoHead {
  readonly run: string;
  readonly command: string;
  /** Labels, without credentials. */
  readonly target: string;
  readonly source: string;
  readonly started: Date;
}

/** What became of the run, and of its undoing. `left`: it was gone through, and what was left alone had changed since. */
export type UndoMark = "complete" | "undoing" | "left" | "undone";

const MARKS: readonly unknown[] = ["complete", "undoing", "left", "undone"] satisfies UndoMark[];

/** Whether a journal can have this name: it becomes part of a file's name. */
export function isRunId(run: string): boolean {
  return /^[0-9a-f]{8}$/.test(run);
}

export function journalName(run: string): string {
  if (!isRunId(run)) throw new DualsyncError("bug", "A run's id is 8 hexadecimal digits.");
  return `undo-${run}.journal`;
}

/** The run that a file's name belongs to; undefined for files that are no journals. */
export function runOfName(name: string): string | undefined {
  return /^undo-([0-9a-f]{8})\.journal$/.exec(name)?.[1];
}

export function keptUntil(since: Date): Date {
  return new Date(since.getTime() + KEPT_DAYS * 24 * 60 * 60 * 1000);
}

export function encodeHead(head: UndoHead): Buffer {
  return Buffer.from(JSON.stringify(head));
}

/** Undefined for what `encodeHead` did not make. */
export function decodeHead(payload: Buffer): UndoHead | undefined {
  const { run, command, target, source, started } = parsed(payload);
  const time = typeof started === "string" ? new Date(started) : new Date(Number.NaN);
  if (typeof run !== "string" || !isRunId(run) || Number.isNaN(time.getTime())) return undefined;
  if (typeof command !== "string" || typeof target !== "string" || typeof source !== "string")
    return undefined;
  return { run, command, target, source, started: time };
}

export function encodeMark(mark: UndoMark): Buffer {
  return Buffer.from(JSON.stringify({ mark, at: new Date() }));
}

export function decodeMark(payload: Buffer): UndoMark | undefined {
  const { mark } = parsed(payload);
  return MARKS.includes(mark) ? (mark as UndoMark) : undefined;
}

function parsed(payload: Buffer): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(payload.toString());
    return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What one document was before a run changed it, and what the run made of it. */
export interface UndoEntry {
  /** Type byte and value bytes of the `_id`. */
  readonly id: Uint8Array;
  /** The document as it was; absent when there was none. */
  readonly before?: Uint8Array | undefined;
  /** The document that was written, by its SHA-256 and its length; absent when it was removed. */
  readonly after?: UndoAfter | undefined;
}

export interface UndoAfter {
  readonly sha256: Uint8Array;
  readonly bytes: number;
  /** The document itself, where the target may give it back in another form. */
  readonly document?: Uint8Array | undefined;
}

export interface UndoCollection {
  readonly name: string;
  /** Tells it from a later collection of the same name; absent where the store cannot. */
  readonly uid?: string | undefined;
}

/** Entries that were saved together. */
export interface UndoEntries {
  readonly collection: UndoCollection;
  readonly entries: readonly UndoEntry[];
}

/** Names of fields that a collection's own rules alter. */
export interface UndoAltered {
  readonly collection: UndoCollection;
  readonly fields: readonly string[];
}

export function encodeAltered({ collection: { name, uid }, fields }: UndoAltered): Buffer {
  return Buffer.from(JSON.stringify({ name, uid, fields }));
}

/** Undefined for what `encodeAltered` did not make. */
export function decodeAltered(payload: Buffer): UndoAltered | undefined {
  const { name, uid, fields } = parsed(payload);
  if (typeof name !== "string" || !Array.isArray(fields)) return undefined;
  if (!fields.every((field) => typeof field === "string")) return undefined;
  return { collection: { name, ...(typeof uid === "string" ? { uid } : {}) }, fields };
}

const BEFORE = 1;
const AFTER = 2;
/** With `AFTER`: the document stands in place of its hash. */
const WHOLE = 4;

/** Bytes that a record of entries has room for at first. */
const ROOM = 65_536;

/** A record of entries on its way, of which there may be a great many: each is written down at once and not kept. */
export class EntryRecord {
  /** Entries whose documents were there before, and entries of new ones. */
  documents = 0;
  added = 0;
  #entries = 0;
  #bytes = Buffer.allocUnsafe(ROOM);
  #length = 0;
  readonly #countAt: number;

  constructor({ name, uid = "" }: UndoCollection) {
    for (const text of [name, uid]) this.#sized(Buffer.from(text));
    this.#countAt = this.#length;
    this.#number(0);
  }

  get isEmpty(): boolean {
    return this.#entries === 0;
  }

  /** In bytes, as it is now. */
  get length(): number {
    return this.#length;
  }

  add({ id, before, after }: UndoEntry): void {
    const written = after === undefined ? 0 : after.document === undefined ? AFTER : AFTER | WHOLE;
    this.#reserve(1);
    this.#bytes[this.#length++] = (before === undefined ? 0 : BEFORE) | written;
    this.#sized(id);
    if (before !== undefined) this.#sized(before);
    if (after?.document !== undefined) this.#sized(after.document);
    else if (after !== undefined) {
      this.#raw(after.sha256);
      this.#number(after.bytes);
    }
    this.#entries++;
    if (before !== undefined) this.documents++;
    else if (after !== undefined) this.added++;
  }

  /** What stands in the journal. Nothing may be added afterwards. */
  end(): Buffer {
    this.#bytes.writeUInt32LE(this.#entries, this.#countAt);
    return this.#bytes.subarray(0, this.#length);
  }

  #sized(bytes: Uint8Array): void {
    this.#number(bytes.length);
    this.#raw(bytes);
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #number(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** About as many bytes as the entry takes up in a journal. */
export function sizeOfEntry({ id, before, after }: UndoEntry): number {
  const written = after === undefined ? 0 : (after.document?.length ?? 36);
  return 9 + id.length + (before?.length ?? 0) + written;
}

/** @throws RangeError on bytes that no `EntryRecord` made */
export function decodeEntries(payload: Buffer): UndoEntries {
  const reader = new EntryReader(payload);
  const name = reader.take(reader.number()).toString();
  const uid = reader.take(reader.number()).toString();
  const entries: UndoEntry[] = [];
  for (let left = reader.number(); left > 0; left--) entries.push(decodeEntry(reader));
  reader.end();
  return { collection: { name, ...(uid === "" ? {} : { uid }) }, entries };
}

function decodeEntry(reader: EntryReader): UndoEntry {
  const flags = reader.take(1).readUInt8();
  if (flags > (BEFORE | AFTER | WHOLE)) throw new RangeError("an entry has an unknown kind");
  const id = reader.take(reader.number());
  const before = (flags & BEFORE) === 0 ? {} : { before: reader.take(reader.number()) };
  if ((flags & AFTER) === 0) {
    if ((flags & WHOLE) !== 0) throw new RangeError("an entry has an unknown kind");
    return { id, ...before };
  }
  if ((flags & WHOLE) !== 0) {
    const document = reader.take(reader.number());
    return { id, ...before, after: { sha256: sha256(document), bytes: document.length, document } };
  }
  return { id, ...before, after: { sha256: reader.take(32), bytes: reader.number() } };
}

class EntryReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    return this.take(4).readUInt32LE();
  }

  take(length: number): Buffer {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new RangeError("an entry extends past its record");
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("a record has data after its last entry");
  }
}
