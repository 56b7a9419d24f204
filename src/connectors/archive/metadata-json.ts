/** The metadata files of mongodump: what a collection is, as extended JSON. */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  EJSON,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  serialize,
  Timestamp,
  UUID,
} from "bson";
import { toOrdered } from "../../bson/ordered.ts";
import { JsonError, JsonNumber, type JsonObject, type JsonValue, readJson } from "../../json/json-reader.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Metadata } from "../collection.ts";

/** Servers take about a hundred levels. */
const MOST_LEVELS = 250;

/** What a collection is, as a metadata file says. */
export interface CollectionMetadata {
  /** Files of old versions do not say it. */
  readonly name: string | undefined;
  /** As mongodump calls it: "collection", "view" or "timeseries"; files of old versions do not say it. */
  readonly type: string | undefined;
  /** With dashes. */
  readonly uuid: string | undefined;
  readonly options: Metadata;
  /** With the one on `_id`. */
  readonly indexes: readonly Metadata[];
}

/**
 * Trees as `toOrdered` makes them, whichever form of extended JSON the text is in: canonical, relaxed, or that of versions before 4.2.
 * Throws RangeError on a text that is no metadata; the message repeats nothing of it.
 */
export function readMetadataJson(text: string): CollectionMetadata {
  const content = text.trim() === "" ? new Map() : parsed(text);
  if (!(content instanceof Map)) throw new RangeError("no object");
  const canonical = /"\$number(?:Int|Double)"\s*:/.test(text);
  const tree = toOrdered(made(() => serialize(new Map([["v", bsonValue(content, canonical)]])))).get("v");
  if (!(tree instanceof Map)) throw new RangeError("no object");
  const [name, type, uuid] = ["collectionName", "type", "uuid"].map((member) => tree.get(member));
  return {
    name: typeof name === "string" && name !== "" ? name : undefined,
    type: typeof type === "string" && type !== "" ? type : undefined,
    uuid: typeof uuid === "string" ? dashed(uuid) : undefined,
    options: documentOf(tree.get("options"), "options"),
    indexes: indexesOf(tree.get("indexes")),
  };
}

function documentOf(value: unknown, member: string): Metadata {
  if (value === undefined || value === null) return new Map();
  if (!(value instanceof Map)) throw new RangeError(`${member} that are no object`);
  return value;
}

function indexesOf(value: unknown): readonly Metadata[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RangeError("indexes that are no list");
  return value.map((index) => documentOf(index, "indexes"));
}

function dashed(uuid: string): string | undefined {
  const digits = uuid.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return undefined;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function parsed(text: string): JsonValue {
  try {
    return readJson(text, MOST_LEVELS);
  } catch (error) {
    const repaired = withoutBareWords(text);
    if (!(error instanceof JsonError) || repaired === text) throw error;
    return readJson(repaired, MOST_LEVELS);
  }
}

/** Old versions wrote numbers that JSON has no form for as words. */
function withoutBareWords(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|[-+]?\b(?:NaN|Infinity)\b|\bundefined\b/g, (part) => {
    if (part.startsWith('"')) return part;
    return part === "undefined" ? "null" : `{"$numberDouble":"${part.replace("+", "")}"}`;
  });
}

function bsonValue(value: JsonValue, canonical: boolean): unknown {
  if (value instanceof JsonNumber) return numberOf(value.text);
  if (value instanceof Map) return objectOf(value, canonical);
  if (Array.isArray(value)) return value.map((item: JsonValue) => bsonValue(item, canonical));
  return value;
}

function numberOf(text: string): Int32 | Long | Double {
  if (!/^-?\d+$/.test(text) || text === "-0") return new Double(Number(text));
  const value = Number(text);
  if ((value | 0) === value) return new Int32(value);
  const whole = BigInt(text);
  return BigInt.asIntN(64, whole) === whole ? Long.fromBigInt(whole) : new Double(value);
}

function objectOf(object: JsonObject, canonical: boolean): unknown {
  const names = [...object.keys()].sort().join();
  const special = SPECIAL[names]?.(object, canonical);
  if (special !== undefined) return special;
  return new Map([...object].map(([name, value]) => [name, bsonValue(value, canonical)]));
}

type SpecialValue = (object: JsonObject, canonical: boolean) => unknown;

/** Names of an object's members → the value that it stands for; undefined where it stands for itself. */
const SPECIAL: Readonly<Record<string, SpecialValue>> = {
  $numberInt: (object) => whole(object.get("$numberInt"), (text) => new Int32(Number(text))),
  $numberLong: (object) => whole(object.get("$numberLong"), (text) => Long.fromBigInt(BigInt(text))),
  $numberDouble: (object) => double(object.get("$numberDouble")),
  $numberDecimal: (object) => texted(object.get("$numberDecimal"), (text) => Decimal128.fromString(text)),
  $oid: (object) => texted(object.get("$oid"), (text) => new ObjectId(text)),
  $symbol: (object) => texted(object.get("$symbol"), (text) => new BSONSymbol(text)),
  $uuid: (object) => texted(object.get("$uuid"), (text) => new UUID(text).toBinary()),
  $code: (object) => texted(object.get("$code"), (text) => new Code(text)),
  "$code,$scope": (object, canonical) => {
    const scope = object.get("$scope");
    if (!(scope instanceof Map)) return undefined;
    return texted(
      object.get("$code"),
      (text) => new Code(text, Object.fromEntries(bsonValue(scope, canonical) as Metadata)),
    );
  },
  $date: (object) => dateOf(object.get("$date")),
  $minKey: () => new MinKey(),
  $maxKey: () => new MaxKey(),
  $undefined: () => null,
  $timestamp: (object) => {
    const parts = object.get("$timestamp");
    if (!(parts instanceof Map)) return undefined;
    const [t, i] = [parts.get("t"), parts.get("i")];
    if (!(t instanceof JsonNumber) || !(i instanceof JsonNumber)) return undefined;
    return new Timestamp({ t: Number(t.text), i: Number(i.text) });
  },
  $binary: (object) => {
    const parts = object.get("$binary");
    return parts instanceof Map ? binaryOf(parts.get("base64"), parts.get("subType")) : undefined;
  },
  "$binary,$type": (object) => binaryOf(object.get("$binary"), object.get("$type")),
  $regularExpression: (object) => {
    const parts = object.get("$regularExpression");
    return parts instanceof Map ? regexOf(parts.get("pattern"), parts.get("options")) : undefined;
  },
  // In canonical form this is the operator of a condition.
  "$options,$regex": (object, canonical) =>
    canonical ? undefined : regexOf(object.get("$regex"), object.get("$options")),
};

function texted(value: JsonValue | undefined, make: (text: string) => unknown): unknown {
  return typeof value === "string" ? made(() => make(value)) : undefined;
}

/** The package's own errors may hold the text. */
function made<T>(make: () => T): T {
  try {
    return make();
  } catch {
    throw new RangeError("a value that is none of its type");
  }
}

function whole(value: JsonValue | undefined, make: (text: string) => unknown): unknown {
  const text = value instanceof JsonNumber ? value.text : value;
  return typeof text === "string" && /^-?\d{1,19}$/.test(text) ? made(() => make(text)) : undefined;
}

function double(value: JsonValue | undefined): unknown {
  const text = value instanceof JsonNumber ? value.text : value;
  if (typeof text !== "string" || text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isNaN(number) && text !== "NaN" ? undefined : new Double(number);
}

function dateOf(value: JsonValue | undefined): unknown {
  const inner = value instanceof Map ? objectOf(value, true) : value;
  const time =
    inner instanceof Long
      ? inner.toNumber()
      : inner instanceof JsonNumber
        ? Number(inner.text)
        : typeof inner === "string"
          ? Date.parse(inner.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"))
          : Number.NaN;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function binaryOf(base64: JsonValue | undefined, subtype: JsonValue | undefined): unknown {
  const type = subtype instanceof JsonNumber ? Number(subtype.text).toString(16) : subtype;
  if (typeof base64 !== "string" || typeof type !== "string" || !/^[0-9a-fA-F]{1,2}$/.test(type))
    return undefined;
  return new Binary(Buffer.from(base64, "base64"), Number.parseInt(type, 16));
}

function regexOf(pattern: JsonValue | undefined, options: JsonValue | undefined): unknown {
  if (typeof pattern !== "string" || typeof options !== "string") return undefined;
  return made(() => new BSONRegExp(pattern, options));
}

/**
 * The text of a metadata file, as mongodump writes it and mongorestore reads it: canonical extended JSON. Fails with `incomplete` where a
 * part of the definition has no such form.
 */
export function writeMetadataJson(metadata: CollectionMetadata): string {
  const { name, type, uuid, options, indexes } = metadata;
  const content = new Map<string, unknown>();
  if (options.size > 0) content.set("options", options);
  content.set("indexes", indexes);
  if (uuid !== undefined) content.set("uuid", uuid.replaceAll("-", ""));
  if (name !== undefined) content.set("collectionName", name);
  if (type !== undefined) content.set("type", type === "capped" ? "collection" : type);
  return textOf(content, name);
}

function textOf(value: unknown, collection: string | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, collection)).join()}]`;
  if (value instanceof Map) {
    const members = [...(value as Metadata)].map(([name, part]) => {
      if (name.includes("\0")) throw unwritable(collection);
      return `${JSON.stringify(name)}:${textOf(part, collection)}`;
    });
    return `{${members.join()}}`;
  }
  try {
    return EJSON.stringify(value, { relaxed: false });
  } catch (error) {
    throw unwritable(collection, error);
  }
}

function unwritable(collection: string | undefined, cause?: unknown): DualsyncError {
  const of = collection === undefined ? "a collection" : collection;
  return new DualsyncError("incomplete", `The definition of ${of} has a part that JSON has no form for.`, {
    hint: "The source was not changed. Leave the collection out with --exclude, or change its options or indexes.",
    ofOneCollection: true,
    cause,
  });
}
