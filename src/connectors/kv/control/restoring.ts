/** What a KV store remembers of the restore that fills it. Other runs leave nothing in it: what they copied is noted in the copy. */
import { historyOf, runRecord } from "../../control/control-records.ts";
import { type History, RESTORE, type RunRecord } from "../../powers/run-history.ts";
import type { KvClient } from "../api/commands.ts";
import type { KvReading } from "../reading/reading.ts";
import { RESTORING_KEY } from "./own-keys.ts";

/** Kept until the restore is complete, and longer where it was not the first one: an undo may open that again. */
export async function writeRestoring(client: KvClient, run: RunRecord, signal: AbortSignal): Promise<void> {
  if (run.command !== RESTORE) return;
  const isOver = run.complete && (run.earlier ?? []).length === 0;
  const { id, content } = runRecord(run);
  const text = JSON.stringify({ id, content });
  await client.run([isOver ? ["DEL", RESTORING_KEY] : ["SET", RESTORING_KEY, text]], {
    signal,
    doing: "note what is being restored",
    repeatable: true,
  });
}

/** One command. */
export async function readRestoring(
  { client, unexpected }: KvReading,
  signal: AbortSignal,
): Promise<History> {
  const doing = "read the history";
  const [reply] = await client.run([["GET", RESTORING_KEY]], { signal, doing, repeatable: true });
  if (reply === null) return historyOf([]);
  if (!(reply instanceof Uint8Array)) throw unexpected(doing, reply);
  try {
    const { id, content } = JSON.parse(Buffer.from(reply).toString("utf8")) as {
      id: string;
      content: unknown;
    };
    return historyOf([[id, content]]);
  } catch {
    throw unexpected(doing, undefined);
  }
}
