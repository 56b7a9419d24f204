/** What went wrong on a MongoDB connection, sorted into what the program and a person can do about it. */
import { DualsyncError, type ExitName } from "../../errors.ts";

export type Role = "source" | "target";

/** Server error codes: the same call may succeed in a moment (failover, shutdown, conflicts, time-outs). */
const TRANSIENT = new Set([
  6, 7, 43, 50, 63, 64, 79, 89, 91, 112, 133, 134, 150, 175, 189, 202, 234, 237, 262, 317, 358, 384, 9001,
  10058, 10107, 11600, 11602, 13388, 13435, 13436, 13475, 16500,
]);
const AUTHENTICATION = new Set([18, 31, 11]);
const DENIED = new Set([13, 33, 8000]);
const FULL = new Set([14031, 39, 12]);

/** The parts of a driver or server error that matter here; everything else may hold values or secrets. */
interface Shape {
  readonly name: string;
  readonly message: string;
  readonly code: number | undefined;
  readonly codeName: string | undefined;
  readonly labels: readonly string[];
}

export function shapeOf(error: unknown): Shape {
  const record = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {};
  const labels = record.errorLabels;
  return {
    name: typeof record.name === "string" ? record.name : "Error",
    message: typeof record.message === "string" ? record.message : String(error),
    code: numeric(record.code),
    codeName: typeof record.codeName === "string" ? record.codeName : undefined,
    labels: Array.isArray(labels) ? labels.map(String) : [],
  };
}

/** Answers are decoded without promotion: a code may be an Int32. A system's code, such as ECONNREFUSED, is none. */
function numeric(code: unknown): number | undefined {
  const value = typeof code === "string" || code === undefined || code === null ? Number.NaN : Number(code);
  return Number.isNaN(value) ? undefined : value;
}

/** The connection failed, not the command: whether the command took effect is not known. */
export function isConnectionFault(error: unknown): boolean {
  return /^Mongo(Network|ServerSelection|PoolCleared|PoolClosed|ConnectionPool|WaitQueue|TopologyClosed)/.test(
    shapeOf(error).name,
  );
}

/** Nobody answered in time; that says nothing about what was sent. */
export function isTimeout(error: unknown): boolean {
  return /^Mongo(ServerSelection|NetworkTimeout|WaitQueueTimeout)/.test(shapeOf(error).name);
}

export function isTransient(error: unknown): boolean {
  const shape = shapeOf(error);
  // Written, perhaps, but not acknowledged by a majority.
  if (shape.name === "MongoWriteConcernError") return true;
  if (isConnectionFault(error)) return true;
  if (shape.code !== undefined && TRANSIENT.has(shape.code)) return true;
  return shape.labels.includes("RetryableWriteError") || shape.labels.includes("RetryableError");
}

/** True for faults of the account or the whole server: no other document would fare better. */
export function isFatal(error: unknown): boolean {
  const { code } = shapeOf(error);
  return code !== undefined && (AUTHENTICATION.has(code) || DENIED.has(code) || FULL.has(code));
}

/** Turns whatever the driver threw into the program's own error: where, what, what to do. Never the driver's own text in full. */
export function toDualsyncError(error: unknown, role: Role, label: string, doing: string): DualsyncError {
  if (error instanceof DualsyncError) return error;
  const shape = shapeOf(error);
  if (error instanceof RangeError) {
    return new DualsyncError(
      role,
      `The ${role} ${label} gave an answer that cannot be understood: ${error.message}.`,
      {
        hint: "Is something between this machine and the server that changes its answers?",
        cause: error,
      },
    );
  }
  const where = `the ${role} ${label}`;
  const make = (exit: ExitName, message: string, hint: string): DualsyncError =>
    new DualsyncError(exit, message, { hint, cause: error });
  if (isAuthentication(shape)) {
    return make(
      "denied",
      `Authentication failed at ${where}.`,
      "Check the user name and password (percent-encoded) and the authSource in the URI.",
    );
  }
  if (shape.name === "MongoServerSelectionError" || isConnectionFault(error))
    return unreachable(error, role, where, doing);
  if (shape.code === 13) {
    return make("denied", `The user has no right to ${doing} at ${where}.`, rights(role));
  }
  if (shape.code === 8000) {
    return make(
      "denied",
      `The cloud service refused to ${doing} at ${where}: ${brief(shape.message)}`,
      "See the limits of the cluster's plan; a free cluster may be full or may not allow this command.",
    );
  }
  if (shape.code !== undefined && FULL.has(shape.code)) {
    return make(
      "target",
      `There is no space left at ${where}.`,
      "Free space or choose a larger target, then run the same command again: it goes on.",
    );
  }
  return make(
    role,
    `Could not ${doing} at ${where}: ${codeText(shape)}.`,
    "Run the same command again; if it fails again, look into the server's log for this code.",
  );
}

function isAuthentication(shape: Shape): boolean {
  return (
    (shape.code !== undefined && AUTHENTICATION.has(shape.code)) ||
    /^MongoMissingCredentials/.test(shape.name) ||
    /bad auth/i.test(shape.message)
  );
}

function rights(role: Role): string {
  return role === "source"
    ? "The source's user needs the role read on this database."
    : "The target's user needs the role readWrite on this database; for validators also collMod (dbAdmin).";
}

function unreachable(error: unknown, role: Role, where: string, doing: string): DualsyncError {
  const text = causes(error);
  const make = (message: string, hint: string): DualsyncError =>
    new DualsyncError(role, message, { hint, cause: error, retryable: true });
  const host = where.replace(/^the (source|target) /, "");
  if (/ENOTFOUND|EAI_AGAIN|querySrv/.test(text)) {
    return make(
      `The host name of ${where} cannot be resolved.`,
      "Check the spelling of the host in the URI, the DNS and any VPN.",
    );
  }
  if (/ECONNREFUSED/.test(text)) {
    const local = /^(localhost|127\.|\[::1\])/.test(host);
    return make(
      `Connection refused by ${where}.`,
      local
        ? "Is the server running on this machine, and is the port right?"
        : "Is the server running, and is the port right?",
    );
  }
  if (/certificate|SSL|TLS|self.signed/i.test(text)) {
    return make(
      `No secure (TLS) connection to ${where}.`,
      "Check the certificate, the host name and the tls options in the URI.",
    );
  }
  if (/ServerSelection|timed out|ETIMEDOUT/i.test(text)) {
    return make(`No answer from ${where} while trying to ${doing}.`, hostedHint(host));
  }
  return make(
    `The connection to ${where} broke while trying to ${doing}.`,
    "What was written stays; run the same command again: it goes on.",
  );
}

function hostedHint(host: string): string {
  return /mongodb\.net|\.com|\.net|\.cloud/.test(host)
    ? "Is this machine's address on the cluster's network access list, and is the cluster not paused?"
    : "Is the server running and reachable from this machine, and is it the primary?";
}

function causes(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth++) {
    const record = current as Record<string, unknown>;
    parts.push(String(record.name ?? ""), String(record.code ?? ""), String(record.message ?? ""));
    current = record.cause;
  }
  return parts.join(" ");
}

/** A server's code without its message: messages of write errors quote values of documents. */
export function codeText(shape: {
  readonly name: string;
  readonly code: number | undefined;
  readonly codeName: string | undefined;
}): string {
  if (shape.code === undefined) return shape.name;
  return shape.codeName === undefined ? `code ${shape.code}` : `code ${shape.code}, ${shape.codeName}`;
}

function brief(message: string): string {
  return message.length > 200 ? `${message.slice(0, 200)}…` : message;
}
