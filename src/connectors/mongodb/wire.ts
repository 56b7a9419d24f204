/**
 * The one place that uses an internal of the MongoDB driver: its document sequence (OP_MSG section kind 1), which
 * carries raw documents to the server without decoding them. `mongodb` is pinned to an exact version for this file,
 * and `claim` proves before every run that what goes through here arrives byte for byte; where it does not, the
 * `decodedCarrier` takes over, which uses the public interface only and refuses what it cannot carry.
 */
import { createRequire } from "node:module";
import { BSON } from "mongodb";
import { readInt32 } from "../../bson/elements.ts";
import { toOrdered } from "../../bson/ordered.ts";

/** How documents get into a command. */
export interface Carrier {
  /** Documents back to back, as the value of a command's `documents`, `updates` or `deletes` field. */
  sequence(field: string, bytes: Uint8Array): unknown;
  /** Why this document cannot be carried unaltered; undefined when it can. Absent: everything can be carried. */
  readonly objection?: (document: Uint8Array) => string | undefined;
}

type SequenceClass = new (field: string) => { push(document: object, bytes: Uint8Array): number };

/** The raw carrier, or undefined when this driver has no document sequences. */
export function rawCarrier(): Carrier | undefined {
  const internals: unknown = createRequire(import.meta.url)("mongodb/lib/cmap/commands");
  if (typeof internals !== "object" || internals === null || !("DocumentSequence" in internals))
    return undefined;
  const found = internals.DocumentSequence;
  if (typeof found !== "function" || typeof found.prototype?.push !== "function") return undefined;
  const Sequence = found as SequenceClass;
  return {
    sequence(field, bytes) {
      const sequence = new Sequence(field);
      sequence.push({}, bytes);
      return sequence;
    },
  };
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
    const again = BSON.serialize(toOrdered(document));
    return Buffer.compare(again, document) === 0
      ? undefined
      : "this version of the MongoDB driver cannot carry it unaltered";
  },
};
