import type { Connector } from "../../connectors/connector.ts";
import { isControlName } from "../../connectors/control/control-name.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { cutText } from "../../model/cut-text.ts";
import { safeText } from "../../redact/redact.ts";

/** Names are shown up to here. */
const MOST_SHOWN = 80;

/**
 * Old name to new name; `nameProblem` is what the target says of a new one. Fails with `usage` for anything that could not be
 * carried out as written.
 */
export function parseRenames(
  values: readonly string[],
  nameProblem: Connector["nameProblem"] = () => undefined,
): Map<string, string> {
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
    // What the old name may be is the source's affair.
    for (const name of [from, to]) {
      assertExists(name);
      assertNotControl(name);
    }
    const problem = nameProblem(to);
    if (problem !== undefined) throw invalid(to, problem);
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

function invalid(name: string, problem: string): Error {
  return configurationError(
    `--rename cannot be used: ${quoted(name)} ${problem}.`,
    "Change the names after --rename and run again.",
  );
}

function quoted(name: string): string {
  return `"${safeText(cutText(name, MOST_SHOWN))}"`;
}
