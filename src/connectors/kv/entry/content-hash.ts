import { createHash, type Hash } from "node:crypto";
import type { EntryValue, FieldValue, StreamEntry } from "./entry.ts";

/**
 * SHA-256, in hexadecimal digits, of what a key holds. Two contents have the same bytes to hash exactly when they are the same: every
 * piece follows its length. A score of -0 is 0: the servers keep one as the other.
 */
export function contentHash(content: EntryValue): string {
  const hash = createHash("sha256").update(`${content.type}\0`);
  switch (content.type) {
    case "string":
    case "json":
      hash.update(content.value);
      break;
    case "hash":
      addFields(hash, content.value);
      break;
    case "list":
    case "set":
      for (const member of content.value) addPiece(hash, member);
      break;
    case "zset":
      for (const [member, score] of content.value) {
        addPiece(hash, member);
        hash.update(double(score));
      }
      break;
    case "stream":
      addPiece(hash, Buffer.from(content.value.lastId));
      for (const entry of content.value.entries) addEntry(hash, entry);
  }
  return hash.digest("hex");
}

function addEntry(hash: Hash, { id, fields }: StreamEntry): void {
  addPiece(hash, Buffer.from(id));
  hash.update(length(fields.length));
  addFields(hash, fields);
}

function addFields(hash: Hash, fields: readonly FieldValue[]): void {
  for (const [field, value] of fields) {
    addPiece(hash, field);
    addPiece(hash, value);
  }
}

function addPiece(hash: Hash, piece: Uint8Array): void {
  hash.update(length(piece.length)).update(piece);
}

function length(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value + 0);
  return bytes;
}
