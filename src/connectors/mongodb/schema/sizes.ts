/** How large things are, by the server's own bookkeeping. */
import type { Document } from "mongodb";
import { DualsyncError } from "../../../model/errors.ts";
import type { Server } from "../connection/server.ts";
import { isAnswer } from "../failures/faults.ts";
import { countDocuments } from "../reading/count.ts";

/** What the server's bookkeeping holds about a collection's size. After a crash it may be wrong, so "empty" is counted. */
export async function sizeOf(
  server: Server,
  name: string,
  signal: AbortSignal,
): Promise<{ documents: number; bytes: number }> {
  const answer = await collStats(server, name, signal);
  const bucketed = answer.timeseries as { numMeasurements?: unknown } | undefined;
  const documents = Number(bucketed?.numMeasurements ?? answer.count ?? 0);
  return {
    documents: documents > 0 ? documents : await countDocuments(server, name, {}, signal),
    bytes: Number(answer.size ?? 0),
  };
}

/** Empty where it is refused: the size only decides how the work is divided, and what the plan shows. */
async function collStats(server: Server, name: string, signal: AbortSignal): Promise<Document> {
  try {
    return await server.run({ collStats: name }, { signal, doing: `read the size of ${name}` });
  } catch (error) {
    if (signal.aborted || !(error instanceof DualsyncError) || !isAnswer(error.cause)) throw error;
    return {};
  }
}

/** Bytes of the whole database as hosted clusters count them: documents uncompressed, and indexes. */
export async function sizeOfDatabase(server: Server, signal: AbortSignal): Promise<number> {
  const answer = await server.run({ dbStats: 1 }, { signal, doing: "read the size of the database" });
  return Number(answer.dataSize ?? 0) + Number(answer.indexSize ?? 0);
}
