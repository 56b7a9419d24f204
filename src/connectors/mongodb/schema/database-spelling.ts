import type { Document } from "mongodb";
import { DualsyncError } from "../../../model/errors.ts";
import type { Server } from "../connection/server.ts";
import { failure } from "../failures/failures.ts";
import { isAnswer } from "../failures/faults.ts";

/**
 * To be asked where a database holds nothing yet. A server has no two whose names differ only in upper and lower case, and
 * reads the one that is not there as an empty one.
 * @throws DualsyncError `refused` where the server has this one in other letters
 */
export async function assertSpelling(server: Server, signal: AbortSignal): Promise<void> {
  const { database, role, label } = server;
  const names = await namesInAnyCase(server, signal);
  if (names.includes(database)) return;
  const other = names.find((name) => inOneCase(name) === inOneCase(database));
  if (other === undefined) return;
  throw failure("database-spelling", { role, label, doing: "list databases" }, undefined, ` ("${other}")`);
}

/** None where the user may not know them, or the plan has no such command. */
async function namesInAnyCase(server: Server, signal: AbortSignal): Promise<string[]> {
  const $regex = `^${server.database.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;
  const command = { listDatabases: 1, nameOnly: true, filter: { name: { $regex, $options: "i" } } };
  const options = { signal, doing: "list databases", database: "admin" } as const;
  const answer: Document = await server.run(command, options).catch((error: unknown) => {
    if (error instanceof DualsyncError && isAnswer(error.cause)) return {};
    throw error;
  });
  const found: readonly unknown[] = Array.isArray(answer.databases) ? answer.databases : [];
  return found.map((entry) => String((entry as Document).name));
}

/** Newer servers fold all letters, older ones those of ASCII. */
function inOneCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}
