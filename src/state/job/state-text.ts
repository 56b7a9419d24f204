import { createHash } from "node:crypto";
import { refusal } from "../../files/disk-error.ts";
import { DualsyncError } from "../../model/errors.ts";

const FORMAT = 1;

/** The largest state file, in bytes. */
export const LARGEST = 256 * 1024 * 1024;

/** Name and format come first in every format to come, so that a newer one is distinguished from a damaged one. */
const START = /^\{"dualsync":"state","format":([1-9]\d{0,8}),/;
const HEAD = /^\{"dualsync":"state","format":1,"key":"([0-9a-f]+)","sum":"([0-9a-f]{64})","content":/;
const LONGEST_HEAD = 512;
const TAIL = "}\n";

export const DISCARD = "--restart discards it and starts over.";

/** The bytes of a state file: one JSON object that holds the content and the SHA-256 of the content's JSON text. */
export function encodeState(key: string, content: unknown): Buffer {
  const text: string | undefined = JSON.stringify(content);
  if (text === undefined) throw new DualsyncError("bug", "A state that is not a JSON value cannot be saved.");
  const sum = sha256(text);
  const head = `{"dualsync":"state","format":${FORMAT},"key":"${key}","sum":"${sum}","content":`;
  if (Buffer.byteLength(text) + head.length + TAIL.length > LARGEST) {
    throw new DualsyncError("local", "The state of this run is larger than 256 MB and cannot be saved.", {
      hint: "What was copied is kept. Copy fewer collections in one run: see --include.",
    });
  }
  return Buffer.from(head + text + TAIL);
}

/**
 * The content of a state file. Every byte counts: a file that differs in any from what `encodeState` made is refused.
 * @throws DualsyncError `local` that names `path`
 */
export function decodeState(bytes: Buffer, key: string, path: string): unknown {
  const start = bytes.toString("latin1", 0, LONGEST_HEAD);
  const format = START.exec(start)?.[1];
  if (format !== undefined && Number(format) > FORMAT) {
    throw refusal(
      path,
      `was written by a newer version of dualsync (format ${format})`,
      `Use that version, or discard the file: ${DISCARD}`,
    );
  }
  const [head, owner, sum] = HEAD.exec(start) ?? [];
  if (head === undefined) throw refusal(path, "is damaged or is not a dualsync state file", DISCARD);
  if (owner !== key) throw refusal(path, "is damaged or belongs to another job", DISCARD);
  const content = bytes.subarray(head.length, -TAIL.length);
  const ended = bytes.toString("latin1", head.length + content.length) === TAIL;
  if (!ended || sha256(content) !== sum) throw refusal(path, "is damaged or truncated", DISCARD);
  return parsed(content, path);
}

function parsed(content: Buffer, path: string): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    throw refusal(path, "is damaged", DISCARD);
  }
}

function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
