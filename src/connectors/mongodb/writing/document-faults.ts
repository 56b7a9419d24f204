/** Whole write commands that fail because of a document in them. */
import type { Server } from "../connection/server.ts";
import { codeText, isConnectionFault, isFatal, shapeOf } from "../failures/faults.ts";
import { isBroken } from "../failures/link-faults.ts";

/** Codes with which a server refuses a whole command because of a document in it. */
const DOCUMENT_FAULTS = new Set([2, 9, 14, 22, 121, 10334, 17280, 17419, 17420]);

/** True when the fault lies with a document of the batch: the server answers, and not about its own state. */
export async function isDocumentFault(server: Server, error: unknown, signal: AbortSignal): Promise<boolean> {
  // A write concern that was not met may have any code, and says nothing about documents.
  if (isFatal(error) || shapeOf(error).name === "MongoWriteConcernError") return false;
  if (!isBroken(error)) return !isConnectionFault(error) && DOCUMENT_FAULTS.has(shapeOf(error).code ?? 0);
  await server.run({ hello: 1 }, { signal, doing: "reach the server", database: "admin" });
  return true;
}

/** Why the document is rejected, for people. */
export function refusal(error: unknown): string {
  if (isConnectionFault(error)) return "the target's server closes the connection when this document is sent";
  return `the target's server refused it (${codeText(shapeOf(error))})`;
}
