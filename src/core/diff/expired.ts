import type { Metadata } from "../../connectors/connector.ts";
import { datesAt } from "./dates-at.ts";

/** Servers take no more seconds for an index, and give this many to one that never expires anything. */
const MOST_SECONDS = 0x7fff_ffff;

/**
 * Whether a server is due to delete this document, or has done so already: a TTL index, or the collection's own TTL where
 * it is clustered, covers a date that lies long enough back. In doubt false, for what is true here is not reported as a
 * difference: under an index on a part of the documents (partialFilterExpression), a number of seconds that servers
 * disagree about (NaN, negative, above int32), in a capped collection (many servers do not delete from one) or a
 * time-series (which expires in buckets), or for bytes that cannot be read.
 */
export function expiredUnder(
  document: Uint8Array,
  indexes: readonly Metadata[],
  now: Date,
  options: Metadata = new Map(),
): boolean {
  if (options.get("capped") === true || options.has("timeseries")) return false;
  const rules = [...indexes.map(ruleOfIndex), ruleOfCollection(options)];
  return rules.some((rule) => rule !== undefined && isDue(document, rule, now));
}

interface Rule {
  readonly path: readonly string[];
  readonly seconds: number;
}

/** Servers ignore the option on an index of several fields, and have no dates in one that is not plainly sorted. */
function ruleOfIndex(index: Metadata): Rule | undefined {
  const key = index.get("key");
  const seconds = secondsOf(index);
  if (!(key instanceof Map) || key.size !== 1 || seconds === undefined) return undefined;
  const [[field, direction] = []] = [...(key as Metadata)];
  const isPlain =
    field !== "_id" && !index.has("partialFilterExpression") && numberOf(direction) !== undefined;
  return isPlain && field !== undefined ? { path: field.split("."), seconds } : undefined;
}

function ruleOfCollection(options: Metadata): Rule | undefined {
  const seconds = secondsOf(options);
  return options.has("clusteredIndex") && seconds !== undefined ? { path: ["_id"], seconds } : undefined;
}

/** Fractions of a second are dropped, as servers do. */
function secondsOf(definition: Metadata): number | undefined {
  const seconds = Math.trunc(numberOf(definition.get("expireAfterSeconds")) ?? Number.NaN);
  return seconds >= 0 && seconds <= MOST_SECONDS ? seconds : undefined;
}

/** Of a value of the `bson` package that stands for a number. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const type = (value as { _bsontype?: unknown } | null | undefined)?._bsontype;
  return NUMBERS.has(type) ? Number(value) : undefined;
}

const NUMBERS: ReadonlySet<unknown> = new Set(["Int32", "Double", "Long", "Decimal128"]);

function isDue(document: Uint8Array, { path, seconds }: Rule, now: Date): boolean {
  const latest = now.getTime() - seconds * 1_000;
  try {
    for (const date of datesAt(document, path)) {
      if (date <= latest) return true;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return false;
}
