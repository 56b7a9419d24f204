/**
 * Where the blocks of a data file lie: the `.blocks` file. Little-endian: 16 bytes that name the format, for each block the length
 * of its stored bytes, the number of its documents, their bytes and the length of its first id (4 bytes each; the last is 0 where documents
 * have no order), SHA-256 of the stored bytes, the first id; then SHA-256 of all that. Blocks lie one after the other.
 */
import { createHash } from "node:crypto";

const MAGIC = Buffer.from("dualsync blocks\x01", "latin1");
const HASH_BYTES = 32;
const NUMBERS_BYTES = 16;
/** What an entry has at the least. */
const ENTRY_BYTES = NUMBERS_BYTES + HASH_BYTES;

export interface BlockEntry {
  /** As they lie in the data file. */
  readonly storedBytes: number;
  readonly documents: number;
  /** Of its documents. */
  readonly bytes: number;
  /** The `_id` of its first document, as `DocumentId.element`; undefined where documents have no order. */
  readonly first: Uint8Array | undefined;
  readonly hash: Uint8Array;
}

/** A text for a sentence that begins with the file. */
export class BadBlockList extends RangeError {}

export class BlockListWriter {
  readonly #entries: Buffer[] = [MAGIC];

  add({ storedBytes, documents, bytes, first, hash }: BlockEntry): void {
    const entry = Buffer.alloc(ENTRY_BYTES + (first?.length ?? 0));
    [storedBytes, documents, bytes, first?.length ?? 0].forEach((value, index) => {
      entry.writeUInt32LE(value, index * 4);
    });
    entry.set(hash, NUMBERS_BYTES);
    if (first !== undefined) entry.set(first, ENTRY_BYTES);
    this.#entries.push(entry);
  }

  /** The bytes of the file. */
  end(): Buffer {
    const content = Buffer.concat(this.#entries);
    return Buffer.concat([content, sha256(content)]);
  }
}

export class BlockList {
  readonly #file: Buffer;
  /** Of each block: where its entry lies in the file, where its bytes lie in the data file, documents before it. */
  readonly #entries: number[] = [];
  readonly #offsets: number[] = [];
  readonly #before: number[] = [];
  /** Of the data file. */
  readonly storedBytes: number;
  readonly documents: number;
  /** Of all documents. */
  readonly bytes: number;

  /** @throws BadBlockList */
  constructor(file: Buffer) {
    this.#file = file;
    const end = checkedEnd(file);
    let [at, storedBytes, documents, bytes] = [MAGIC.length, 0, 0, 0];
    while (at < end) {
      const next =
        at + ENTRY_BYTES <= end ? at + ENTRY_BYTES + file.readUInt32LE(at + 12) : Number.POSITIVE_INFINITY;
      if (next > end) throw new BadBlockList("is damaged: an entry does not end");
      this.#entries.push(at);
      this.#offsets.push(storedBytes);
      this.#before.push(documents);
      storedBytes += file.readUInt32LE(at);
      documents += file.readUInt32LE(at + 4);
      bytes += file.readUInt32LE(at + 8);
      at = next;
    }
    this.storedBytes = storedBytes;
    this.documents = documents;
    this.bytes = bytes;
  }

  /** Number of blocks. */
  get length(): number {
    return this.#entries.length;
  }

  /** Whether it is known where an id lies. */
  get isOrdered(): boolean {
    return this.length === 0 || this.entry(0).first !== undefined;
  }

  entry(index: number): BlockEntry {
    const file = this.#file;
    const at = this.#at(index);
    const length = file.readUInt32LE(at + 12);
    return {
      storedBytes: file.readUInt32LE(at),
      documents: file.readUInt32LE(at + 4),
      bytes: file.readUInt32LE(at + 8),
      first: length === 0 ? undefined : file.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + length),
      hash: file.subarray(at + NUMBERS_BYTES, at + ENTRY_BYTES),
    };
  }

  /** The first id of a block, of documents in order. */
  first(index: number): Uint8Array {
    const { first } = this.entry(index);
    if (first === undefined) throw new Error("These documents have no order.");
    return first;
  }

  /** Where a block begins in the data file. */
  offset(index: number): number {
    return this.#offsets[index] as number;
  }

  /** Number of documents before a block. */
  documentsBefore(index: number): number {
    return this.#before[index] ?? this.documents;
  }

  #at(index: number): number {
    const at = this.#entries[index];
    if (at === undefined) throw new Error(`There is no block ${index}.`);
    return at;
  }
}

/** Where the entries end, once the checksum was seen to be right. */
function checkedEnd(file: Buffer): number {
  const end = file.length - HASH_BYTES;
  if (end < MAGIC.length) throw new BadBlockList("is damaged: it is too short");
  if (!file.subarray(0, MAGIC.length).equals(MAGIC))
    throw new BadBlockList("is damaged: it is no list of blocks");
  if (!sha256(file.subarray(0, end)).equals(file.subarray(end)))
    throw new BadBlockList("is damaged: its checksum is wrong");
  return end;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
