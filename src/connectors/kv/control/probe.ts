import { randomUUID } from "node:crypto";
import type { KvCommand } from "../api/commands.ts";
import { KvRefusal } from "../api/commands.ts";
import type { KvReading } from "../reading/reading.ts";
import { PROBE_KEY } from "./own-keys.ts";

/** The key goes by itself after so many milliseconds where the second command does not arrive. */
const LONGEST = 60_000;

const DOING = "write a key and read it back";

/**
 * Whether the store takes writes and gives them back: it may still serve the one when it refuses the other. A key that stayed would
 * make every run afterwards ask each key for its expiry, so that it is removed as it is read. Two commands.
 */
export async function probeStore({ client, unexpected }: KvReading, signal: AbortSignal): Promise<void> {
  const nonce = randomUUID();
  const commands: readonly KvCommand[] = [
    ["SET", PROBE_KEY, nonce, "PX", LONGEST],
    ["GETDEL", PROBE_KEY],
  ];
  const replies = await client.run(commands, { signal, doing: DOING, repeatable: true });
  const [, back] = replies;
  for (const reply of replies) if (reply instanceof KvRefusal) throw unexpected(DOING, reply);
  // Whoever else probed at the same time took it, and that shows the same.
  const isBack = back === null || (back instanceof Uint8Array && back.length > 0);
  if (!isBack) throw unexpected(DOING, back);
}
