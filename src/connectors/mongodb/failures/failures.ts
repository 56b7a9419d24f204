import { DualsyncError, type ExitName } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import type { Failure } from "../../failure.ts";
import { CONNECTION_FAILURES } from "./connection-failures.ts";
import { SERVER_FAILURES } from "./server-failures.ts";

/** Every sentence that a fault of a MongoDB connection or server can end with, by its name. */
export const FAILURES = { ...CONNECTION_FAILURES, ...SERVER_FAILURES };

export type MongodbFailure = keyof typeof FAILURES;

/** Where and at what it happened. */
export interface MongodbFailurePlace {
  readonly role: StoreRole;
  /** Host and database, without credentials. */
  readonly label: string;
  /** What was being tried, as "read orders". */
  readonly doing: string;
  /** It was tried with one collection, and the others may fare better. */
  readonly ofOneCollection?: boolean | undefined;
}

/** Names of collections stand in it, and they come from the server. */
const LONGEST_DOING = 200;

/** The error to report. `detail` must not contain a server's own words. */
export function failure(
  name: MongodbFailure,
  place: MongodbFailurePlace,
  cause?: unknown,
  detail = "",
): DualsyncError {
  const row: Failure = FAILURES[name];
  const exit: ExitName = row.exit === "role" ? place.role : row.exit;
  const words: Readonly<Record<string, string>> = {
    where: `the ${place.role} ${place.label}`,
    Where: `The ${place.role} ${place.label}`,
    doing: place.doing.length > LONGEST_DOING ? `${place.doing.slice(0, LONGEST_DOING)}…` : place.doing,
    detail,
  };
  const message = row.says.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? "");
  const { hint, reason } = row;
  const ofOneCollection = row.ofOneCollection === true && place.ofOneCollection === true;
  return new DualsyncError(exit, message, {
    ...{ hint, cause, reason, ofOneCollection },
    retryable: row.passes === true,
  });
}
