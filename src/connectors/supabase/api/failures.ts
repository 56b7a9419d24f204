/** From the fault of a request to the sentence that a person reads: where, what, what to do. */
import { DualsyncError, type ExitName } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import type { Failure } from "../../failure.ts";
import { Fault, isOfTls } from "../../http/fault.ts";
import { CONNECTION_FAILURES } from "./connection-failures.ts";
import { grants } from "./grants.ts";
import { SERVER_FAILURES } from "./server-failures.ts";

/** Every sentence that a fault of a project can end with, by its name. */
export const FAILURES = { ...CONNECTION_FAILURES, ...SERVER_FAILURES };

export type SupabaseFailure = keyof typeof FAILURES;

/** `list`: of the project's tables. */
export type Access = "read" | "write" | "list";

/** Where and at what it happened. */
export interface SupabaseFailurePlace {
  readonly role: StoreRole;
  /** Host and path, without credentials. */
  readonly label: string;
  readonly schema: string;
  /** What was being tried, as "read customers". */
  readonly doing: string;
  readonly access: Access;
  readonly table?: string | undefined;
}

/** Names of tables stand in it. */
const LONGEST_DOING = 200;

/** Turns whatever a request failed with into the program's own error; never a server's own text. */
export function toDualsyncError(error: unknown, place: SupabaseFailurePlace): DualsyncError {
  if (error instanceof DualsyncError) return error;
  if (!(error instanceof Fault))
    return new DualsyncError("bug", `Could not ${place.doing}: dualsync itself failed.`, { cause: error });
  const name = nameOf(error, place);
  const facts = [error.status === undefined ? undefined : `HTTP ${error.status}`, error.code];
  const detail = facts.filter((fact) => fact !== undefined).join(", ");
  return failure(name, place, error, detail === "" ? "" : ` (${detail})`);
}

/** The error to report. `detail` must not contain a server's own words. */
export function failure(
  name: SupabaseFailure,
  place: SupabaseFailurePlace,
  cause?: unknown,
  detail = "",
): DualsyncError {
  const row: Failure = FAILURES[name];
  const exit: ExitName = row.exit === "role" ? place.role : row.exit;
  const { role, label, schema, doing, table, access } = place;
  const words: Readonly<Record<string, string>> = {
    where: `the ${role} ${label}`,
    Where: `The ${role} ${label}`,
    doing: doing.length > LONGEST_DOING ? `${doing.slice(0, LONGEST_DOING)}…` : doing,
    table: table ?? "it",
    schema,
    grants: grants(schema, table, access === "write" || (access === "list" && role === "target")),
    detail,
  };
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? "");
  const options = {
    retryable: row.passes === true,
    ofOneCollection: row.ofOneCollection === true,
    reason: row.reason,
    retryAfter: row.reason === "throttled" && cause instanceof Fault ? cause.wait : undefined,
  };
  return new DualsyncError(exit, fill(row.says), { hint: fill(row.hint), cause, ...options });
}

const BY_REASON: Readonly<Record<Exclude<Fault["reason"], "network" | "status">, SupabaseFailure>> = {
  late: "late",
  cut: "cut-short",
  garbled: "not-understood",
  redirect: "redirected",
  "too-big": "too-big",
  "no-count": "no-count",
};

function nameOf(fault: Fault, place: SupabaseFailurePlace): SupabaseFailure {
  if (fault.reason === "network") return connectionName(fault.code ?? "", place.label);
  if (fault.reason !== "status") return BY_REASON[fault.reason];
  const { status = 0, code } = fault;
  if (status === 402) return "quota";
  if (status === 540) return "paused";
  if (place.access === "list" && (code === "PGRST126" || (code === undefined && status === 404)))
    return "list-disabled";
  if (code === "42501") return rightsName(status, place);
  if (place.access === "read" && place.table !== undefined && QUERY_CODES.test(code ?? ""))
    return "query-failed";
  if (status === 401) return place.access === "list" && code === undefined ? "list-refused" : "key-refused";
  const known = code === undefined ? undefined : (BY_CODE.get(code) ?? byClass(code));
  return known ?? byStatus(status, place);
}

function connectionName(code: string, label: string): SupabaseFailure {
  if (code === "ENOTFOUND") return "host-unknown";
  if (code === "EAI_AGAIN") return "dns-silent";
  if (code === "ECONNREFUSED") return /^(?:localhost|127\.|\[::1\])/.test(label) ? "refused-here" : "refused";
  return isOfTls(code) ? "tls" : "broken";
}

function rightsName(status: number, { access }: SupabaseFailurePlace): SupabaseFailure {
  if (status === 401) return "key-anonymous";
  if (access === "list") return "list-refused";
  return access === "write" ? "grant-write" : "grant-read";
}

const BY_CODE: ReadonlyMap<string, SupabaseFailure> = new Map<string, SupabaseFailure>([
  ["PGRST000", "database-down"],
  ["PGRST001", "database-down"],
  ["PGRST002", "database-down"],
  ["PGRST003", "no-connection-free"],
  ["PGRST102", "body-refused"],
  ["PGRST106", "schema-hidden"],
  ["PGRST122", "server-old"],
  ["PGRST124", "too-many-rows"],
  ["PGRST125", "no-api"],
  ["PGRST202", "no-function"],
  ["PGRST204", "no-column"],
  ["PGRST205", "no-table"],
  ["PGRST301", "key-refused"],
  ["PGRST302", "key-refused"],
  ["PGRST303", "key-refused"],
  ["42P01", "no-table"],
  ["42703", "no-column"],
  ["42883", "no-function"],
  ["42P10", "no-unique"],
  ["428C9", "generated"],
  ["21000", "twice"],
  ["57014", "statement-long"],
  ["55P03", "locked"],
  ["40001", "conflict"],
  ["40P01", "conflict"],
  ["53100", "disk"],
  ["25006", "read-only"],
  ["23503", "parent-missing"],
  ["23505", "taken"],
]);

/** What a statement that only reads ends with where a view, a function, a policy or a file behind the table fails. */
const QUERY_CODES = /^(?:2[0-7F]|3[89BF]|42(?!P01|703|883)|44|53[24]00|54|55(?!P03)|58|HV|P0|XX)/;

/** By the class of an SQLSTATE. */
function byClass(code: string): SupabaseFailure | undefined {
  if (/^(?:08|53|57)/.test(code)) return "database-down";
  if (code.startsWith("22")) return "value-refused";
  if (code.startsWith("23") || code.startsWith("44")) return "constraint";
  return code === "P0001" ? "trigger" : undefined;
}

function byStatus(status: number, { access }: SupabaseFailurePlace): SupabaseFailure {
  if (status === 403) return access === "list" ? "list-refused" : "denied";
  if (status === 404) return "no-api";
  if (status === 429) return "too-many-requests";
  if (status === 413) return "body-long";
  if (status === 414) return "address-long";
  if (status === 504 || status === 544) return "gateway-late";
  return status >= 502 ? "gateway" : "refused-request";
}
