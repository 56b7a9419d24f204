/**
 * Uses an internal of the MongoDB driver: where it puts a message together, so that raw documents
 * go to the server as a document sequence (OP_MSG section kind 1), undecoded and uncopied. `mongodb` is pinned to an
 * exact version for this file, and `claim` proves before every run that what goes through here arrives byte for byte;
 * where it does not, the `decodedCarrier` takes over, which uses the public interface only and refuses what it cannot
 * carry.
 */
import { createRequire } from "node:module";
import { BSON } from "mongodb";
import { readInt32, writeInt32 } from "../../../bson/elements.ts";
import { toOrdered } from "../../../bson/ordered.ts";

/** How documents get into a command. */
export interface Carrier {
  /** Documents back to back, as the value of a command's `documents`, `updates` or `deletes` field. */
  sequence(field: string, bytes: Uint8Array): unknown;
  /** Why this document cannot be carried unaltered; undefined when it can. Absent: everything can be carried. */
  readonly objection?: (document: Uint8Array) => string | undefined;
}

/** One section of a message: its kind, its length, the name of the field, the documents. */
class Section {
  readonly header: Uint8Array;
  readonly documents: Uint8Array;

  constructor(field: string, documents: Uint8Array) {
    this.header = Buffer.from(`\u0001\0\0\0\0${field}\0`, "latin1");
    writeInt32(this.header, this.header.length - 1 + documents.length, 1);
    this.documents = documents;
  }

  get length(): number {
    return this.header.length + this.documents.length;
  }
}

/** Appends a command's sections to the parts of a message and returns their length. */
type MakeSections = (this: unknown, parts: Uint8Array[], command: Record<string, unknown>) => number;

let ready: boolean | undefined;

/** The raw carrier, or undefined when this driver builds messages differently. */
export function rawCarrier(): Carrier | undefined {
  ready ??= patchMessageWriter();
  return ready ? { sequence: (field, bytes) => new Section(field, bytes) } : undefined;
}

/** Teaches the driver our sections; a command without one is put together as ever. */
function patchMessageWriter(): boolean {
  const internals: unknown = createRequire(import.meta.url)("mongodb/lib/cmap/commands");
  const request = (
    internals as { OpMsgRequest?: { prototype?: { makeSections?: MakeSections } } } | undefined
  )?.OpMsgRequest?.prototype;
  const original = request?.makeSections;
  if (request === undefined || typeof original !== "function") return false;
  request.makeSections = function (parts, command) {
    const sections = Object.entries(command).filter(
      (entry): entry is [string, Section] => entry[1] instanceof Section,
    );
    for (const [field] of sections) delete command[field];
    let length = original.call(this, parts, command);
    for (const [, section] of sections) {
      parts.push(section.header, section.documents);
      length += section.length;
    }
    return length;
  };
  return true;
}

/** Carries documents as values of the public interface; several times slower, and some documents do not survive it. */
export const decodedCarrier: Carrier = {
  sequence(_field, bytes) {
    const documents: unknown[] = [];
    for (let at = 0; at < bytes.length; at += readInt32(bytes, at)) {
      documents.push(toOrdered(bytes.subarray(at, at + readInt32(bytes, at))));
    }
    return documents;
  },
  objection(document) {
    return survives(document) ? undefined : "this version of the MongoDB driver cannot send it unchanged";
  },
};

function survives(document: Uint8Array): boolean {
  try {
    return Buffer.compare(BSON.serialize(toOrdered(document)), document) === 0;
  } catch {
    return false; // a value that the driver can only carry altered refuses to be carried
  }
}

let copied: boolean | undefined;

/**
 * The driver keeps the cluster time of a reply, and its signature is a view of the whole reply. This makes the driver
 * keep a copy of those few bytes, so that the memory of a reply is the reader's alone; false when it cannot.
 */
export function clusterTimesAreCopied(): boolean {
  copied ??= copyClusterTimes();
  return copied;
}

interface ClusterTime {
  signature?: { hash?: { buffer?: unknown } };
}

function copyClusterTimes(): boolean {
  const internals: unknown = createRequire(import.meta.url)("mongodb/lib/cmap/wire_protocol/responses");
  const response = (internals as { MongoDBResponse?: { prototype?: object } } | undefined)?.MongoDBResponse
    ?.prototype;
  const found =
    response === undefined ? undefined : Object.getOwnPropertyDescriptor(response, "$clusterTime");
  const original = found?.get;
  if (response === undefined || original === undefined || found?.configurable !== true) return false;
  Object.defineProperty(response, "$clusterTime", {
    configurable: true,
    get(this: object) {
      const time: ClusterTime | null | undefined = original.call(this);
      const hash = time?.signature?.hash;
      if (hash?.buffer instanceof Uint8Array && hash.buffer.buffer.byteLength > hash.buffer.length) {
        hash.buffer = Uint8Array.prototype.slice.call(hash.buffer);
      }
      return time;
    },
  });
  return true;
}

/**
 * Lets a signal end what a cursor of the driver waits for, and its connection with it. The driver takes signals for
 * commands, but has no public way to give one to the commands of such a cursor; without this the wait ends all the
 * same, only its connection stays open.
 */
export function endCursorWith(cursor: object, signal: AbortSignal): void {
  const { cursorOptions } = cursor as { cursorOptions?: { signal?: AbortSignal } };
  if (typeof cursorOptions === "object") cursorOptions.signal = signal;
}
