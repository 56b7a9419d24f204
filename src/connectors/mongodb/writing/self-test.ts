/** Proves, on the target itself, that documents written by this program arrive byte for byte. */
import { BSON } from "mongodb";
import { elements, TYPE } from "../../../bson/elements.ts";
import { Batch } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { Server } from "../connection/server.ts";
import { shapeOf } from "../failures/faults.ts";
import { CONTROL_COLLECTION } from "../schema/collections.ts";
import { type Carrier, decodedCarrier, rawCarrier } from "./wire.ts";
import { DocumentWriter, type Find, type WriteTransport } from "./write.ts";

/** A field that the server does not know, or that this user or this cloud plan may not use. */
const REFUSALS = new Set([40415, 13, 8000]);

/** Keeps the server from putting its own time into empty timestamps; old servers do not know it. */
const KEEP_TIMESTAMPS = { bypassEmptyTsReplacement: true };
/** Lets documents in that an older validator would refuse today; the role readWrite alone may not. */
const PAST_VALIDATORS = { bypassDocumentValidation: true };
/** From the best to the plainest. */
const FLAGS = [{ ...PAST_VALIDATORS, ...KEEP_TIMESTAMPS }, PAST_VALIDATORS, KEEP_TIMESTAMPS, {}] as const;

/**
 * Finds out how this target takes documents: writes one that careless carriers alter, by insert and by replace, and
 * reads it back.
 * @throws DualsyncError `target` when nothing arrives unaltered, or what the server says when nothing may be written
 */
export async function findWriteTransport(
  server: Server,
  find: Find,
  nonce: string,
  signal: AbortSignal,
): Promise<WriteTransport> {
  let refusal: unknown;
  for (const carrier of [rawCarrier(), decodedCarrier]) {
    for (const flags of FLAGS) {
      if (carrier === undefined) continue;
      const transport = wayOf(carrier, flags);
      try {
        if (
          await arrives(
            new DocumentWriter(server, find, transport),
            find,
            probe(nonce, "bypassEmptyTsReplacement" in flags),
            signal,
          )
        )
          return transport;
      } catch (error) {
        const code = error instanceof DualsyncError ? shapeOf(error.cause).code : undefined;
        if (code === undefined || !REFUSALS.has(code)) throw error;
        refusal = error;
      }
    }
  }
  if (refusal !== undefined) throw refusal;
  throw new DualsyncError("target", `A document written to ${server.label} was read back differently.`, {
    hint: "Nothing was copied. Does something between this machine and the server change documents?",
  });
}

function wayOf(carrier: Carrier, flags: object): WriteTransport {
  const checks = [carrier.objection, "bypassEmptyTsReplacement" in flags ? undefined : emptyTimestamp].filter(
    (check) => check !== undefined,
  );
  const objection =
    checks.length === 0 ? {} : { objection: (document: Uint8Array) => firstReason(checks, document) };
  return { carrier, flags, passesValidators: "bypassDocumentValidation" in flags, ...objection };
}

async function arrives(
  writer: DocumentWriter,
  find: Find,
  document: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  const batch = new Batch(document, [document.length]);
  const id = batch.idOf(0);
  await writer.remove(CONTROL_COLLECTION, [id], signal);
  try {
    for (const mode of ["insert", "replace"] as const) {
      const outcome = await writer.write(CONTROL_COLLECTION, batch, mode, signal);
      if (outcome.rejected.length > 0) return false;
      const back = (await find(CONTROL_COLLECTION, [id], signal)).get(id.key);
      if (back === undefined || Buffer.compare(back.bytes, document) !== 0) return false;
    }
    return true;
  } finally {
    await writer.remove(CONTROL_COLLECTION, [id], signal);
  }
}

/** A document with what decoding to JavaScript values loses: order of number-like names, types, far dates. */
function probe(nonce: string, timestamp: boolean): Uint8Array {
  const content = new Map<string, unknown>([
    ["_id", `self-test ${nonce}`],
    ["2", 1.5],
    ["1", new BSON.Double(1)],
    ["__proto__", BSON.Long.fromNumber(1)],
    ["_bsontype", "Double"],
    ["symbol", new BSON.BSONSymbol("s")],
    ["far", BSON.Long.fromString("9223372036854775807")],
  ]);
  if (timestamp) content.set("empty", new BSON.Timestamp(0n));
  return BSON.serialize(content);
}

/** A document with an empty timestamp at its top level: without the flag a server puts its own time there. */
function emptyTimestamp(document: Uint8Array): string | undefined {
  for (const element of elements(document)) {
    if (element.type !== TYPE.timestamp) continue;
    if (document.subarray(element.start, element.end).every((byte) => byte === 0)) {
      return "the target's server would replace its empty timestamp with the current time";
    }
  }
  return undefined;
}

function firstReason(
  checks: readonly ((document: Uint8Array) => string | undefined)[],
  document: Uint8Array,
): string | undefined {
  for (const check of checks) {
    const reason = check(document);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
