/** What one document was before a run changed it, and what the run made of it. */
export interface UndoEntry {
  /** Type byte and value bytes of the `_id`. */
  readonly id: Uint8Array;
  /** The document as it was; absent when there was none. */
  readonly before?: Uint8Array;
  /** The document that was written, by its SHA-256 and its length; absent when it was removed. */
  readonly after?: { readonly sha256: Uint8Array; readonly bytes: number };
}

export interface UndoCollection {
  readonly name: string;
  /** Tells it from a later collection of the same name; absent where the store cannot. */
  readonly incarnation?: string;
}

/** Entries that were saved together. */
export interface UndoEntries {
  readonly collection: UndoCollection;
  readonly entries: readonly UndoEntry[];
}

const BEFORE = 1;
const AFTER = 2;

export function encodeEntries(collection: UndoCollection, entries: readonly UndoEntry[]): Buffer {
  const parts: Uint8Array[] = [
    text(collection.name),
    text(collection.incarnation ?? ""),
    number(entries.length),
  ];
  for (const { id, before, after } of entries) {
    parts.push(Uint8Array.of((before === undefined ? 0 : BEFORE) | (after === undefined ? 0 : AFTER)));
    parts.push(number(id.length), id);
    if (before !== undefined) parts.push(number(before.length), before);
    if (after !== undefined) parts.push(after.sha256, number(after.bytes));
  }
  return Buffer.concat(parts);
}

/** About as many bytes as the entry takes up in a journal. */
export function sizeOfEntry({ id, before, after }: UndoEntry): number {
  return 9 + id.length + (before?.length ?? 0) + (after === undefined ? 0 : 36);
}

/** @throws RangeError on bytes that `encodeEntries` did not make */
export function decodeEntries(payload: Buffer): UndoEntries {
  const reader = new Reader(payload);
  const name = reader.take(reader.number()).toString();
  const incarnation = reader.take(reader.number()).toString();
  const entries: UndoEntry[] = [];
  for (let left = reader.number(); left > 0; left--) entries.push(decodeEntry(reader));
  reader.end();
  return { collection: { name, ...(incarnation === "" ? {} : { incarnation }) }, entries };
}

function decodeEntry(reader: Reader): UndoEntry {
  const flags = reader.take(1).readUInt8();
  if (flags > (BEFORE | AFTER)) throw new RangeError("an entry is of no known kind");
  const id = reader.take(reader.number());
  const before = (flags & BEFORE) === 0 ? {} : { before: reader.take(reader.number()) };
  if ((flags & AFTER) === 0) return { id, ...before };
  return { id, ...before, after: { sha256: reader.take(32), bytes: reader.number() } };
}

class Reader {
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
    if (length > this.#bytes.length - from) throw new RangeError("an entry goes beyond its record");
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("a record goes on after its last entry");
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
