import { isControlName } from "../../connectors/control/control-name.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { safeText } from "../../redact/redact.ts";

/** In bytes; MongoDB counts the database's name and a dot as well. */
const LONGEST = 255;

/** Old name to new name. Fails with `usage` for anything that could not be carried out as written. */
export function parseRenames(values: readonly string[]): Map<string, string> {
  const renames = new Map<string, string>();
  const targets = new Set<string>();
  for (const value of values) {
    const [from, to, ...rest] = value.split("=");
    if (from === undefined || to === undefined || rest.length > 0) {
      throw configurationError(
        "--rename needs exactly one = between two names.",
        "Write --rename old=new, once for each collection.",
      );
    }
    // Tables have names that no collection can have.
    assertExists(from);
    assertNotControl(from);
    checkName(to);
    if (from === to) throw invalid(from, "is renamed to itself");
    if (renames.has(from)) throw invalid(from, "is renamed twice");
    if (targets.has(to)) throw invalid(to, "is the new name of two collections");
    renames.set(from, to);
    targets.add(to);
  }
  return renames;
}

function assertExists(name: string): void {
  if (name.trim() !== "") return;
  throw configurationError(
    "--rename has an empty name.",
    "Write --rename old=new, once for each collection.",
  );
}

function assertNotControl(name: string): void {
  if (isControlName(name)) throw invalid(name, "is reserved for dualsync and is never copied");
}

function checkName(name: string): void {
  assertExists(name);
  assertNotControl(name);
  if (name.startsWith("system.")) throw invalid(name, "is reserved and is never copied");
  if (name.includes("$") || name.includes("\0") || /\p{Cs}/u.test(name))
    throw invalid(name, "contains a character that no collection may have");
  if (name.startsWith(".") || name.endsWith(".")) throw invalid(name, "begins or ends with a dot");
  if (Buffer.byteLength(name) > LONGEST)
    throw invalid(`${name.slice(0, 40)}…`, `is longer than ${LONGEST} bytes`);
}

function invalid(name: string, problem: string): Error {
  return configurationError(
    `--rename cannot be used: ${quoted(name)} ${problem}.`,
    "Change the names after --rename and run again.",
  );
}

function quoted(name: string): string {
  return `"${safeText(name)}"`;
}
