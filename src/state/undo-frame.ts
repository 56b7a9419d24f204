/**
 * The records of an undo journal. Each is tied to the one before it by its checksum, so that none can be altered, left
 * out, moved or taken from another journal; and its length has a checksum of its own, so that a journal that merely
 * ends early (the run was killed while it wrote) is told from one that is damaged.
 */
import { createHash } from "node:crypto";

export const FORMAT = 1;

/** Stands at the beginning of the file; name and format come first in every format to come. */
export const START = Buffer.from(`{"dualsync":"undo","format":${FORMAT}}\n`);

export const KINDS = { head: 1, entries: 2, mark: 3 } as const;
export type Kind = keyof typeof KINDS;

const CHECK = 8;
/** Kind (1 byte), length of the payload (4), checksum of both (8). */
export const HEADER = 5 + CHECK;
export const SUM = 32;

/** No payload is longer: what claims to be is damaged. */
export const LONGEST = 128 * 1024 * 1024;

/** What the first record is tied to. */
export const SEED = sha256(START);

export function encodeFrame(kind: Kind, payload: Uint8Array, before: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length + SUM);
  frame.writeUInt8(KINDS[kind], 0);
  frame.writeUInt32LE(payload.length, 1);
  check(frame, before).copy(frame, 5);
  frame.set(payload, HEADER);
  sha256(before, frame.subarray(0, HEADER + payload.length)).copy(frame, HEADER + payload.length);
  return frame;
}

/** Kind and length of the record that begins with these bytes; undefined when they are not as they were written. */
export function decodeHeader(header: Buffer, before: Uint8Array): { kind: Kind; length: number } | undefined {
  if (!check(header, before).equals(header.subarray(5, HEADER))) return undefined;
  const number = header.readUInt8(0);
  const kind = (Object.keys(KINDS) as Kind[]).find((name) => KINDS[name] === number);
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
