/** What a dump says a collection is, as a server of today would list it. */
import { Decimal128, Double, Int32, Long } from "bson";
import type { CollectionKind } from "../../../model/collection.ts";
import type { Metadata } from "../../collection.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { CollectionMetadata } from "../metadata-json.ts";

export interface DumpDefinition {
  readonly type: "collection" | "capped" | "timeseries" | "view";
  readonly kind: CollectionKind;
  readonly options: Metadata;
  readonly indexes: readonly Metadata[];
  readonly altered: readonly NotReproduced[];
}

const KINDS: Readonly<Record<DumpDefinition["type"], CollectionKind>> = {
  collection: "collection",
  capped: "sequence",
  timeseries: "sequence",
  view: "definition",
};

/** Options of indexes that servers know. */
const INDEX_OPTIONS: ReadonlySet<string> = new Set([
  "v",
  "key",
  "name",
  "unique",
  "sparse",
  "hidden",
  "prepareUnique",
  "expireAfterSeconds",
  "partialFilterExpression",
  "collation",
  "storageEngine",
  "weights",
  "default_language",
  "language_override",
  "textIndexVersion",
  "2dsphereIndexVersion",
  "finestIndexedLevel",
  "coarsestIndexedLevel",
  "bits",
  "min",
  "max",
  "bucketSize",
  "wildcardProjection",
  "clustered",
  "originalSpec",
]);

/** They had a meaning only while the index was built, or for the driver that asked for it. */
const WITHOUT_EFFECT = ["ns", "background", "dropDups", "safe", "w"];

/** Kinds of indexes that a key names in the place of a direction. */
const INDEX_KINDS: ReadonlySet<string> = new Set([
  "text",
  "2d",
  "2dsphere",
  "hashed",
  "geoHaystack",
  "columnstore",
]);

const MOST_SECONDS = 0x7fff_ffff;

export function definitionOf(name: string, metadata: CollectionMetadata): DumpDefinition {
  const altered: NotReproduced[] = [];
  const options = optionsOf(name, metadata.options, altered);
  const type = typeOf(metadata.type, options);
  const indexes = metadata.indexes.flatMap((index) =>
    isIdIndex(index) ? [] : indexOf(name, index, altered),
  );
  return { type, kind: KINDS[type], options, indexes: type === "view" ? [] : indexes, altered };
}

function typeOf(type: string | undefined, options: Metadata): DumpDefinition["type"] {
  if (type === "view" || options.has("viewOn")) return "view";
  if (type === "timeseries" || options.has("timeseries")) return "timeseries";
  return options.get("capped") === true ? "capped" : "collection";
}

function optionsOf(name: string, written: Metadata, altered: NotReproduced[]): Metadata {
  const options = withoutVersion(written);
  // Very old servers listed the command that created the collection.
  options.delete("create");
  const seconds = options.get("expireAfterSeconds");
  if (options.has("expireAfterSeconds") && seconds !== "off" && !isExpiry(seconds)) {
    options.delete("expireAfterSeconds");
    altered.push({
      key: `option ${name}/expireAfterSeconds`,
      reason: "it is no number of seconds: documents will not expire",
    });
  }
  return options;
}

/** A collation's `version` says which library a server was built with. */
function withoutVersion(definition: Metadata): Map<string, unknown> {
  const plain = new Map(definition);
  const collation = plain.get("collation");
  if (collation instanceof Map) {
    const portable = new Map(collation);
    portable.delete("version");
    plain.set("collation", portable);
  }
  return plain;
}

function isIdIndex(index: Metadata): boolean {
  const key = index.get("key");
  if (index.get("name") === "_id_") return true;
  if (!(key instanceof Map) || key.size !== 1 || !key.has("_id")) return false;
  return index.get("clustered") === true || numberOf(key.get("_id")) === 1;
}

/** The index as it can be built; none where it cannot. */
function indexOf(collection: string, written: Metadata, altered: NotReproduced[]): Metadata[] {
  const index = withoutVersion(written);
  for (const option of WITHOUT_EFFECT) index.delete(option);
  const collation = index.get("collation");
  if (collation instanceof Map && collation.get("locale") === "simple") index.delete("collation");
  const key = index.get("key");
  const name = nameOf(index.get("name"), key);
  const say = (reason: string) => altered.push({ key: `index ${collection}/${name}`, reason });
  if (!(key instanceof Map) || key.size === 0) {
    say("it is not built: it has no key");
    return [];
  }
  const directions = new Map<string, unknown>();
  for (const [field, direction] of key as Metadata) {
    const usable = directionOf(direction);
    if (usable === undefined) {
      say("it is not built: its key has something that is no direction and no kind of index");
      return [];
    }
    if (usable !== direction) say("it is built with another direction: its key has something that is none");
    directions.set(field, usable);
  }
  index.set("key", directions);
  if (index.get("name") !== name) index.set("name", name);
  const version = index.get("v");
  if (index.has("v") && ![1, 2].includes(numberOf(version) ?? Number.NaN)) index.set("v", new Int32(2));
  if (index.has("expireAfterSeconds") && !isExpiry(index.get("expireAfterSeconds"))) {
    index.delete("expireAfterSeconds");
    say("it is built without expireAfterSeconds, which is no number of seconds: documents will not expire");
  }
  const unknown = [...index.keys()].filter((option) => !INDEX_OPTIONS.has(option));
  for (const option of unknown) index.delete(option);
  if (unknown.length > 0) say(`it is built without options that servers do not know: ${unknown.join(", ")}`);
  return [index];
}

function nameOf(name: unknown, key: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  if (!(key instanceof Map)) return "without a name";
  return [...(key as Metadata)].map(([field, direction]) => `${field}_${directionText(direction)}`).join("_");
}

function directionText(direction: unknown): string {
  const usable = directionOf(direction);
  return typeof usable === "string" ? usable : String(numberOf(usable) ?? "");
}

/** The direction, or the kind of index, that a server takes: the same value where it takes that. */
function directionOf(direction: unknown): unknown {
  const ascending = new Int32(1);
  if (typeof direction === "string") {
    if (INDEX_KINDS.has(direction)) return direction;
    if (direction === "") return ascending;
    const number = /^[-+]?\d+(?:\.\d+)?$/.test(direction) ? Number(direction) : undefined;
    return number === undefined ? undefined : new Int32(number < 0 ? -1 : 1);
  }
  if (direction === true) return ascending;
  const number = numberOf(direction);
  if (number === undefined) return undefined;
  return number === 0 || Number.isNaN(number) ? ascending : direction;
}

function isExpiry(value: unknown): boolean {
  const seconds = numberOf(value);
  return seconds !== undefined && seconds >= 0 && seconds <= MOST_SECONDS;
}

function numberOf(value: unknown): number | undefined {
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Long) return value.toNumber();
  return value instanceof Decimal128 ? Number(value.toString()) : undefined;
}
