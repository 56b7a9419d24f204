import { JsonError, readJson } from "../../../json/json-reader.ts";
import { configurationError } from "../../../model/configuration-error.ts";
import { safeText } from "../../../redact/redact.ts";
import type { Filter } from "../../collection.ts";
import { OPERATORS, queryOf } from "./filter-query.ts";
import { FilterProblem } from "./filter-values.ts";

/** In bytes. */
const LONGEST = 64 * 1024;
/** Levels of objects and arrays. */
const DEEPEST = 20;
const EXAMPLE = `as in --filter 'orders={"status": "open"}'`;

/**
 * Filters by collection, from values such as `orders={"total": {"$gt": 5}}` in Extended JSON (canonical, or plain JSON
 * whose integers become Int32 or Long). Documents are Maps in the order written, so that `serialize` of bson keeps it.
 * Fails with `usage`; no message holds a value of the filter.
 */
export function readFilters(values: readonly string[]): Map<string, Filter> {
  const filters = new Map<string, Filter>();
  for (const value of values) {
    const equals = value.indexOf("=");
    const collection = value.slice(0, Math.max(equals, 0)).trim();
    if (collection === "" || /[{"]/.test(collection)) {
      throw configurationError(
        "--filter needs a collection's name and = before the condition.",
        `Write it ${EXAMPLE}.`,
      );
    }
    if (filters.has(collection)) {
      throw configurationError(`${shown(collection)} is given twice.`, "Join the conditions with $and.");
    }
    filters.set(collection, parseFilter(collection, value.slice(equals + 1)));
  }
  return filters;
}

function parseFilter(collection: string, text: string): Filter {
  if (Buffer.byteLength(text) > LONGEST) {
    throw configurationError(
      `${shown(collection)} is longer than ${LONGEST} bytes.`,
      "Write a shorter condition.",
    );
  }
  try {
    return queryOf(readJson(text, DEEPEST, { isStrict: true }));
  } catch (error) {
    if (error instanceof JsonError) {
      throw configurationError(
        `${shown(collection)} is not valid JSON: ${error.problem}, at character ${error.position} after the =.`,
        `Put the whole value in single quotes, ${EXAMPLE}.`,
      );
    }
    if (error instanceof FilterProblem) {
      throw configurationError(
        `${shown(collection)} cannot be used: ${error.message}.`,
        `A filter may use ${OPERATORS.join(" ")}.`,
      );
    }
    throw error;
  }
}

function shown(collection: string): string {
  return `--filter ${safeText(collection)}`;
}
