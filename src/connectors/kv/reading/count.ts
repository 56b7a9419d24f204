import type { CollectionInfo } from "../../collection.ts";
import type { KvCommand, KvRefusal, KvReply } from "../api/commands.ts";
import { LEASE_KEY, RESTORING_KEY } from "../control/own-keys.ts";
import { COLLECTION } from "./inexact-keys.ts";
import { infoText, infoValue, type KeyspaceInfo, keyspaceInfo } from "./keyspace-info.ts";
import type { KvReading } from "./reading.ts";

const DOING = "count keys";

/**
 * Keys that the server holds, without dualsync's own: it counts those, too, that have expired and are not removed yet, and what is being
 * built. Two commands.
 */
export async function countKeys({ client, unexpected }: KvReading, signal: AbortSignal): Promise<number> {
  const [size, own] = await client.run(COUNTING, { signal, doing: DOING, repeatable: true });
  return Math.max(0, numberIn(unexpected, size) - numberIn(unexpected, own));
}

const COUNTING: readonly KvCommand[] = [["DBSIZE"], ["EXISTS", LEASE_KEY, RESTORING_KEY]];

export interface DescribedKeys {
  readonly info: CollectionInfo;
  /** Keys that the server holds, dualsync's own included. */
  readonly held: number;
  readonly keyspace: KeyspaceInfo | undefined;
}

/** The one collection, and what the server says of its keys. Two commands. */
export async function describeKeys(
  { client, unexpected }: KvReading,
  signal: AbortSignal,
): Promise<DescribedKeys> {
  const commands: readonly KvCommand[] = [...COUNTING, ["INFO"]];
  const [size, own, reply] = await client.run(commands, { signal, doing: DOING, repeatable: true });
  const held = numberIn(unexpected, size);
  const text = infoText(reply);
  const info: CollectionInfo = {
    ...{ name: COLLECTION, kind: "collection", type: "keys", options: new Map(), ordered: false },
    idsAreUnique: true,
    documents: Math.max(0, held - numberIn(unexpected, own)),
    bytes: Number(infoValue(text ?? "", "used_memory_dataset") ?? 0) || 0,
  };
  return { info, held, keyspace: keyspaceInfo(text) };
}

function numberIn(unexpected: KvReading["unexpected"], reply: KvReply | KvRefusal | undefined): number {
  if (typeof reply === "number") return reply;
  throw unexpected(DOING, reply);
}
