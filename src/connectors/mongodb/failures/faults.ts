/** What went wrong on a MongoDB connection, sorted into what the program and a person can do about it. */

import { DualsyncError } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import { isControlName } from "../../control/control-name.ts";
import { diagnoseConnection, tlsCode } from "./connection-diagnosis.ts";
import { failure, type MongodbFailure, type MongodbFailurePlace } from "./failures.ts";

/** Server error codes: the same call may succeed in a moment (failover, shutdown, conflicts, time-outs). */
const TRANSIENT = new Set([
  6, 7, 43, 50, 63, 64, 79, 89, 91, 112, 133, 134, 150, 175, 189, 202, 234, 237, 262, 317, 358, 384, 462,
  9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 13475, 16500,
]);
const AUTHENTICATION = new Set([18, 31, 11, 334]);
const DENIED = new Set([13, 33, 8000]);
const FULL = new Set([14031, 39]);
const OTHER_LETTERS = 13297;
const STEPPED_DOWN = new Set([189, 10058, 10107, 11602, 13435, 13436]);
const SHUTTING_DOWN = new Set([91, 11600]);
const TOO_MANY_REQUESTS = new Set([462, 16500]);

/** What MongoDB Atlas says when a free cluster is full. */
const SPACE_QUOTA = /over your space quota(?:, using (\d{1,9}) MB of (\d{1,9}) MB)?/i;

/** The parts of a driver or server error that matter here; everything else may hold values or secrets. */
interface FaultShape {
  readonly name: string;
  readonly message: string;
  readonly code: number | undefined;
  readonly codeName: string | undefined;
  readonly labels: readonly string[];
}

export function shapeOf(error: unknown): FaultShape {
  const record = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {};
  const labels = record.errorLabels;
  return {
    name: typeof record.name === "string" ? record.name : "Error",
    message: messageOf(record.message ?? record.errmsg ?? error),
    code: numeric(record.code),
    codeName: typeof record.codeName === "string" ? record.codeName : undefined,
    labels: Array.isArray(labels) ? labels.map(String) : [],
  };
}

function messageOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "object" ? "" : String(value);
}

/** Answers are decoded without promotion: a code may be an Int32. A system's code, such as ECONNREFUSED, is none. */
function numeric(code: unknown): number | undefined {
  const value = typeof code === "string" || code === undefined || code === null ? Number.NaN : Number(code);
  return Number.isNaN(value) ? undefined : value;
}

/** What a socket says that breaks while a long command is written: the driver passes it on as it is. */
const SOCKET_FAULTS = new Set([
  "EPIPE",
  "ECONNRESET",
  "ECONNABORTED",
  "ETIMEDOUT",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_SOCKET_CLOSED",
]);

export function isSocketFault(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && SOCKET_FAULTS.has(code);
}

/** The connection failed, not the command: whether the command took effect is not known. */
export function isConnectionFault(error: unknown): boolean {
  if (isSocketFault(error)) return true;
  // The driver's own name for a pool that was cleared has no "Mongo" in it.
  return /^(?:Mongo|(?=PoolCleared))(Network|ServerSelection|PoolCleared|PoolClosed|ConnectionPool|WaitQueue|TopologyClosed|OperationTimeout)/.test(
    shapeOf(error).name,
  );
}

/** Nobody answered in time; that says nothing about what was sent. */
export function isTimeout(error: unknown): boolean {
  return /^Mongo(ServerSelection|NetworkTimeout|WaitQueueTimeout|OperationTimeout)/.test(shapeOf(error).name);
}

export function isTransient(error: unknown): boolean {
  const shape = shapeOf(error);
  // Written, perhaps, but not acknowledged by a majority.
  if (shape.name === "MongoWriteConcernError") return true;
  if (isConnectionFault(error)) return true;
  if (shape.code !== undefined && TRANSIENT.has(shape.code)) return true;
  return shape.labels.includes("RetryableWriteError") || shape.labels.includes("RetryableError");
}

/** There is no space left: no other document or index would fare better, and nothing is lost of what is there. */
export function isFull(error: unknown): boolean {
  const { code, message } = shapeOf(error);
  return (code !== undefined && FULL.has(code)) || (code === 8000 && SPACE_QUOTA.test(message));
}

/** True for faults of the account or the whole server: no other document would fare better. */
export function isFatal(error: unknown): boolean {
  const { code } = shapeOf(error);
  return (
    code !== undefined &&
    (AUTHENTICATION.has(code) || DENIED.has(code) || FULL.has(code) || code === OTHER_LETTERS)
  );
}

/** What a server says of one operation that takes too long. */
const TIME_LIMIT = 50;

/** The server has considered the command, and does not do it: it would not do so in a moment either. */
export function isAnswer(error: unknown): boolean {
  const { code, name } = shapeOf(error);
  if (code === undefined || name === "MongoWriteConcernError") return false;
  return code === TIME_LIMIT || !isTransient(error);
}

/**
 * Turns whatever the driver threw into the program's own error: where, what, what to do. Never a server's own text.
 * `collection`: the one that the command was about; what the server answers to that may be the matter of that one alone.
 */
export function toDualsyncError(
  error: unknown,
  role: StoreRole,
  label: string,
  doing: string,
  collection?: string,
): DualsyncError {
  if (error instanceof DualsyncError) return error;
  // On dualsync's own collection everything depends.
  const ofOneCollection = collection !== undefined && !isControlName(collection) && isAnswer(error);
  const place: MongodbFailurePlace = { role, label, doing, ofOneCollection };
  const shape = shapeOf(error);
  if (/bad auth/i.test(shape.message)) return failure("authentication", place, error);
  if (shape.code === 8000) return cloudRefusal(shape.message, place, error);
  const named = byCode(shape, place) ?? byName(error, shape, place);
  if (named !== undefined) return failure(named, place, error, tlsCode(error));
  // Only the program's own reading of answers throws these: their texts are its own.
  if (error instanceof RangeError) return failure("not-understood", place, error, `: ${error.message}`);
  return failure("unknown", place, error, codeText(shape));
}

function byCode({ code, message }: FaultShape, { role }: MongodbFailurePlace): MongodbFailure | undefined {
  if (code === undefined) return undefined;
  if (AUTHENTICATION.has(code)) return "authentication";
  if (code === 13) return /requires authentication/.test(message) ? "no-credentials" : `right-${role}`;
  if (code === OTHER_LETTERS) return "database-spelling";
  if (FULL.has(code)) return "disk";
  if (STEPPED_DOWN.has(code)) return "stepped-down";
  if (SHUTTING_DOWN.has(code)) return "shutting-down";
  return TOO_MANY_REQUESTS.has(code) ? "too-many-requests" : undefined;
}

function byName(
  error: unknown,
  { name }: FaultShape,
  place: MongodbFailurePlace,
): MongodbFailure | undefined {
  if (/^MongoMissingCredentials/.test(name)) return "authentication";
  if (/^MongoWaitQueueTimeout/.test(name)) return "no-connection-free";
  if (/^Mongo(?:NetworkTimeout|OperationTimeout)/.test(name)) return "late";
  const found = diagnoseConnection(error, place);
  if (found === "not-mongodb") return place.doing === "connect" ? found : "not-understood";
  if (found !== undefined) return found;
  if (isConnectionFault(error)) return "broken";
  return /^(?:BSON|Mongo(?:Parse|UnexpectedServerResponse|Decompression))/.test(name)
    ? "not-understood"
    : undefined;
}

/** Code 8000 is MongoDB Atlas's own and means many things; of its text only numbers are shown. */
function cloudRefusal(text: string, place: MongodbFailurePlace, error: unknown): DualsyncError {
  const space = SPACE_QUOTA.exec(text);
  if (space !== null) {
    const detail = space[1] === undefined ? "" : ` (${space[1]} of ${space[2]} MB)`;
    return failure("quota-space", place, error, detail);
  }
  const collections = /already using (\d{1,9}) collections of (\d{1,9})/i.exec(text);
  if (collections !== null)
    return failure("quota-collections", place, error, ` (${collections[1]} of ${collections[2]})`);
  if (/not allowed to do action|not authorized/i.test(text))
    return failure(`right-${place.role}`, place, error);
  if (/not allowed in this atlas tier|CMD_NOT_ALLOWED|unsupported command/i.test(text))
    return failure("plan-command", place, error);
  return failure("plan-refusal", place, error);
}

/** A server's code without its message: messages of write errors quote values of documents. */
export function codeText(shape: {
  readonly name: string;
  readonly code: number | undefined;
  readonly codeName: string | undefined;
}): string {
  if (shape.code === undefined) return shape.name;
  // A name as servers have them; anything else may be text that a server wants to be shown.
  const named = shape.codeName !== undefined && /^[A-Za-z]\w{1,60}$/.test(shape.codeName);
  return named ? `code ${shape.code}, ${shape.codeName}` : `code ${shape.code}`;
}
