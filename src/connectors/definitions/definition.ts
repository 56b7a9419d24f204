import { Double, Int32, Long } from "bson";
import { equalInValue, equalOrdered } from "../../bson/ordered.ts";

/** An index, or the options of a collection, as a server lists them: a tree as `toOrdered` makes it. */
type Definition = ReadonlyMap<string, unknown>;

/** Options of a collection that mean the same as none. */
export const DEFAULT_OPTIONS: Definition = new Map<string, unknown>([
  ["validator", new Map()],
  ["validationLevel", "strict"],
  ["validationAction", "error"],
  ["changeStreamPreAndPostImages", new Map([["enabled", false]])],
  ["capped", false],
  ["autoIndexId", true],
]);

/** Flags of an index that are false when they are absent. */
const FLAGS = ["unique", "sparse", "hidden", "prepareUnique"];

/** Numbers in it come out in the documents of a view: their types matter. */
const EXACT: ReadonlySet<string> = new Set(["pipeline"]);

/** The least size of a capped collection, and what sizes are rounded up to. */
const LEAST_SIZE = 4096;
const SIZE_STEP = 256;

/** What newer servers make of a NaN in `expireAfterSeconds`: documents that never expire. */
const NEVER = new Int32(0x7fff_ffff);

/**
 * Names of the options in which two collections differ for a server: absent and default are one, numbers count by value,
 * the order of options does not matter, the order within an option does.
 */
export function differingOptions(a: Definition, b: Definition): string[] {
  return differing(plainOptions(a), plainOptions(b));
}

/** Names of the parts in which two indexes differ for a server. The order of fields in `key` matters. */
export function differingIndexParts(a: Definition, b: Definition): string[] {
  return differing(plainIndex(a), plainIndex(b));
}

/**
 * Whether it is the index that servers from MongoDB 6.3 on make by themselves with a time-series: on its metaField and its
 * timeField. `options` are those of the collection.
 */
export function isMadeByServer(index: Definition, options: Definition): boolean {
  const timeseries = options.get("timeseries");
  if (!(timeseries instanceof Map)) return false;
  const [meta, time]: unknown[] = [timeseries.get("metaField"), timeseries.get("timeField")];
  if (typeof meta !== "string" || typeof time !== "string") return false;
  const key = new Map([meta, time].map((field) => [field, new Int32(1)]));
  const made = new Map<string, unknown>([
    ["v", index.get("v")],
    ["key", key],
    ["name", `${meta}_1_${time}_1`],
  ]);
  return differingIndexParts(index, made).length === 0;
}

function differing(a: Definition, b: Definition): string[] {
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names.filter((name) => {
    const equal = EXACT.has(name) ? equalOrdered : equalInValue;
    return !a.has(name) || !b.has(name) || !equal(a.get(name), b.get(name));
  });
}

function plainOptions(options: Definition): Definition {
  const plain = withoutSimpleCollation(options);
  for (const [name, value] of DEFAULT_OPTIONS) {
    if (plain.has(name) && equalInValue(plain.get(name), value)) plain.delete(name);
  }
  const size = Number(plain.get("size"));
  if (plain.has("capped") && size <= Number.MAX_SAFE_INTEGER)
    plain.set("size", Math.max(LEAST_SIZE, Math.ceil(size / SIZE_STEP) * SIZE_STEP));
  return plain;
}

function plainIndex(index: Definition): Definition {
  const plain = withoutSimpleCollation(index);
  for (const name of FLAGS) {
    // Older servers keep a 1 that they were given for true.
    const value = plain.get(name);
    if (value === false || equalInValue(value, 0)) plain.delete(name);
    else if (value instanceof Int32 || value instanceof Double || value instanceof Long)
      plain.set(name, true);
  }
  if (equalInValue(plain.get("expireAfterSeconds"), Number.NaN)) plain.set("expireAfterSeconds", NEVER);
  return plain;
}

function withoutSimpleCollation(definition: Definition): Map<string, unknown> {
  const plain = new Map(definition);
  const collation = plain.get("collation");
  if (collation instanceof Map && collation.get("locale") === "simple") plain.delete("collation");
  return plain;
}
