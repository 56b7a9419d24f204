import { type Element, elements, TYPE } from "../../../bson/elements.ts";
import { readInt64Rounded } from "../../../bson/numbers.ts";
import type { Metadata } from "../../collection.ts";

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
  return rulesOf(indexes, options).some((rule) => isDue(document, rule, now));
}

/** The condition that selects what is due, as `expiredUnder` says; undefined: nothing ever is. */
export function dueUnder(
  indexes: readonly Metadata[],
  now: Date,
  options: Metadata = new Map(),
): Metadata | undefined {
  const rules = rulesOf(indexes, options);
  if (rules.length === 0) return undefined;
  const conditions = rules.map(({ path, seconds }) => {
    const latest = new Date(now.getTime() - seconds * 1_000);
    const isDue = new Map<string, unknown>([
      ["$type", "date"],
      ["$lte", latest],
    ]);
    return new Map([[path.join("."), isDue]]);
  });
  return new Map([["$or", conditions]]);
}

function rulesOf(indexes: readonly Metadata[], options: Metadata): readonly Rule[] {
  if (options.get("capped") === true || options.has("timeseries")) return [];
  return [...indexes.map(ruleOfIndex), ruleOfCollection(options)].filter((rule) => rule !== undefined);
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

/**
 * The dates, in milliseconds since 1970, that an index on this path holds of a document: those in an array each by
 * itself, and those in the objects of an array. Of a repeated field the first counts. Throws RangeError on broken bytes.
 */
export function datesAt(document: Uint8Array, path: readonly string[]): Iterable<number> {
  const names = path.map((name) => Buffer.from(name));
  return datesIn(document, 0, names);
}

const POSITION = /^(0|[1-9][0-9]*)$/;

function* datesIn(bytes: Uint8Array, at: number, [name, ...rest]: readonly Buffer[]): Generator<number> {
  const element = name && fieldNamed(bytes, at, name);
  if (element === undefined) return;
  const { type, start } = element;
  const [next] = rest;
  if (next === undefined) yield* datesOf(bytes, element);
  // An array's elements are named after their positions.
  else if (type === TYPE.object || (type === TYPE.array && POSITION.test(next.toString())))
    yield* datesIn(bytes, start, rest);
  else if (type === TYPE.array) {
    for (const inner of elements(bytes, start)) {
      if (inner.type === TYPE.object) yield* datesIn(bytes, inner.start, rest);
    }
  }
}

function fieldNamed(bytes: Uint8Array, at: number, name: Buffer): Element | undefined {
  for (const element of elements(bytes, at)) {
    if (name.equals(bytes.subarray(element.nameStart, element.nameEnd))) return element;
  }
  return undefined;
}

function* datesOf(bytes: Uint8Array, { type, start }: Element): Generator<number> {
  if (type === TYPE.date) yield readInt64Rounded(bytes, start);
  if (type !== TYPE.array) return;
  for (const inner of elements(bytes, start)) {
    if (inner.type === TYPE.date) yield readInt64Rounded(bytes, inner.start);
  }
}
