/** What may be done about the fault of a request. */
import { type Fault, faultOf, isOfTls } from "../../http/fault.ts";
import type { Patience } from "../../http/repeated.ts";

const MANY_STATUS = new Set([429, 502, 503, 520, 521, 522, 523, 524, 546]);
const FEW_STATUS = new Set([408, 425, 544]);
const MANY_CODES = new Set(["PGRST000", "PGRST001", "PGRST002", "PGRST003"]);
/** Serialization failure, deadlock. */
const FEW_CODES = new Set(["40001", "40P01"]);
/** Comes with a status that passes, and does not pass by itself: the disk is full. */
const LASTING_CODES = new Set(["53100"]);
/** Statement timeout, lock timeout. */
const TOO_MUCH_CODES = new Set(["57014", "55P03"]);
/** What PostgREST says of a table that is not there, or that it has not noticed yet. */
export const NO_TABLE: ReadonlySet<string> = new Set(["PGRST205", "42P01"]);
const TOO_MUCH_STATUS = new Set([413, 414, 504, 544]);
/** Its plan, its rate limit, paused. */
const PROJECT_STATUS = new Set([402, 429, 540]);
const UNREACHED = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED"]);

/** Every request here may be repeated: writes are by key. */
export function patienceFor(fault: Fault): Patience {
  const { reason, status = 0, code = "" } = fault;
  if (reason === "network") return isOfTls(code) ? "none" : code === "ENOTFOUND" ? "few" : "many";
  if (reason === "cut") return "many";
  if (reason === "late") return "few";
  if (reason !== "status" || LASTING_CODES.has(code) || TOO_MUCH_CODES.has(code)) return "none";
  if (MANY_CODES.has(code) || MANY_STATUS.has(status)) return "many";
  if (FEW_CODES.has(code) || FEW_STATUS.has(status)) return "few";
  // Without a code it is the gateway's own trouble.
  return status === 500 && code === "" ? "few" : "none";
}

/** The same request for fewer rows may succeed: it took too long, or was too long, for the server or the line. */
export function isTooMuch(error: unknown): boolean {
  const fault = faultOf(error);
  if (fault === undefined) return false;
  const { reason, status = 0, code = "" } = fault;
  if (reason === "late" || reason === "too-big") return true;
  return reason === "status" && (TOO_MUCH_CODES.has(code) || TOO_MUCH_STATUS.has(status));
}

/** SQLSTATE or PostgREST code that refused a request; undefined where none came. */
export function refusalCode(error: unknown): string | undefined {
  const fault = faultOf(error);
  return fault?.reason === "status" ? fault.code : undefined;
}

/** Of the project as a whole, whichever table was asked for: its plan, its key, its schema, its database, the way to it. */
export function isOfProject({ reason, status = 0, code = "" }: Fault): boolean {
  if (reason === "redirect") return true;
  if (reason === "network") return isOfTls(code) || UNREACHED.has(code);
  if (reason !== "status") return false;
  return (
    PROJECT_STATUS.has(status) || MANY_CODES.has(code) || /^(?:08|57P|53300|PGRST106|PGRST30)/.test(code)
  );
}

/** The database refuses rows of this batch for what is in them: sent in smaller parts, the others get through. */
export function isOfRows(error: unknown): boolean {
  const code = refusalCode(error);
  return code !== undefined && /^(?:22|23|44|54|P0)/.test(code);
}
