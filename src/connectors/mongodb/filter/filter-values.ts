import { Double, EJSON, Int32, Long } from "bson";
import { JsonNumber, type JsonValue } from "../../../json/json-reader.ts";

/** What is wrong with a filter, as a sentence's end; names operators and types, never a value. */
export class FilterProblem extends Error {}

type ValueTree = ReadonlyMap<string, JsonValue>;

const INT32 = 2n ** 31n;
const INT64 = 2n ** 63n;
/** Milliseconds before and after 1970 that a JavaScript date reaches. */
const LAST_DATE = 8_640_000_000_000_000n;
const ISO_DATE = /^[+-]?\d{4,6}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2}))?$/;

/**
 * For each Extended JSON type the check of its content; only what passes is given to bson.
 *
 * Checked by hand: EJSON of bson takes more types than a filter may use, rounds numbers, and repeats values in its errors.
 */
const TYPES: ReadonlyMap<string, (content: JsonValue) => boolean> = new Map<
  string,
  (content: JsonValue) => boolean
>([
  ["$oid", (content) => isText(content, /^[0-9a-fA-F]{24}$/)],
  ["$numberInt", (content) => isInteger(content, INT32)],
  ["$numberLong", (content) => isInteger(content, INT64)],
  ["$numberDouble", (content) => isText(content, /^(?:NaN|-?Infinity|-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)$/)],
  [
    "$numberDecimal",
    (content) => isText(content, /^(?:NaN|[+-]?Inf(?:inity)?|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/i),
  ],
  ["$date", isDate],
  ["$uuid", (content) => isText(content, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)],
  ["$binary", isBinary],
  ["$timestamp", (content) => hasExactly(content, { t: isUint32, i: isUint32 })],
  ["$regularExpression", (content) => hasExactly(content, { pattern: isPattern, options: isRegexOptions })],
  ["$symbol", (content) => typeof content === "string"],
  ["$minKey", isOne],
  ["$maxKey", isOne],
]);

/** True when the object is one typed value, such as `{"$oid": "…"}`, and not a document. */
export function isTyped(tree: JsonValue): boolean {
  if (!(tree instanceof Map)) return false;
  return [...tree.keys()].some((key: string) => TYPES.has(key));
}

export function isRegularExpression(tree: JsonValue): boolean {
  return tree instanceof Map && tree.has("$regularExpression");
}

/** The options of a regular expression: each letter once. */
export function isRegexOptions(tree: JsonValue): boolean {
  return typeof tree === "string" && /^[imsux]*$/.test(tree) && new Set(tree).size === tree.length;
}

/** A regular expression's text; BSON ends it with a NUL. */
export function isPattern(tree: JsonValue): boolean {
  return typeof tree === "string" && !tree.includes("\0");
}

/** A value as BSON: documents are Maps, arrays are arrays, integers are Int32 or Long, other numbers are Doubles. */
export function bsonValue(tree: JsonValue): unknown {
  if (tree instanceof JsonNumber) return numberOf(tree.text);
  if (Array.isArray(tree)) return tree.map(bsonValue);
  if (!(tree instanceof Map)) return tree;
  if (isTyped(tree)) return typedValue(tree);
  const document = new Map<string, unknown>();
  for (const [key, value] of tree) {
    if (key.startsWith("$")) throw new FilterProblem(`${shownName(key)} is not allowed inside a value`);
    document.set(key, bsonValue(value));
  }
  return document;
}

/** An operator or type for messages: what somebody wrote after `$`, cut where it is no name. */
export function shownName(key: string): string {
  return /^\$[A-Za-z0-9_]{0,40}/.exec(key)?.[0] ?? "a field";
}

/** A whole number that is not negative and fits in 32 bits, written plainly or as `$numberInt` or `$numberLong`. */
export function isSmallCount(tree: JsonValue): boolean {
  const text = integerText(tree);
  return text !== undefined && BigInt(text) >= 0n && BigInt(text) < INT32;
}

/** The digits of a whole number, however it is written; undefined for everything else. */
export function integerText(tree: JsonValue): string | undefined {
  if (tree instanceof JsonNumber) return /^-?\d+$/.test(tree.text) ? tree.text : undefined;
  if (!(tree instanceof Map) || tree.size !== 1) return undefined;
  const inner: unknown = tree.get("$numberInt") ?? tree.get("$numberLong");
  return typeof inner === "string" && /^-?\d{1,20}$/.test(inner) ? inner : undefined;
}

function typedValue(tree: ValueTree): unknown {
  const [entry] = tree;
  const [type, content] = entry ?? ["", null];
  const check = TYPES.get(type);
  if (tree.size !== 1 || check === undefined || content === undefined || !check(content)) {
    const named = [...tree.keys()].find((key) => TYPES.has(key)) ?? type;
    throw new FilterProblem(`${shownName(named)} is not valid Extended JSON`);
  }
  try {
    return EJSON.deserialize({ [type]: plain(content) }, { relaxed: false });
  } catch {
    throw new FilterProblem(`${shownName(type)} is not valid Extended JSON`);
  }
}

/** Only for contents that passed their check: their keys are known words. */
function plain(tree: JsonValue): unknown {
  if (tree instanceof JsonNumber) return Number(tree.text);
  return tree instanceof Map
    ? Object.fromEntries([...tree].map(([key, value]) => [key, plain(value)]))
    : tree;
}

function numberOf(text: string): unknown {
  if (/^-?\d+$/.test(text) && text !== "-0") {
    const integer = BigInt(text);
    if (integer >= -INT32 && integer < INT32) return new Int32(Number(integer));
    if (integer >= -INT64 && integer < INT64) return Long.fromBigInt(integer);
    throw new FilterProblem(
      "a whole number does not fit in 64 bits; write it as $numberDecimal or $numberDouble",
    );
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new FilterProblem("a number is too large; write it as $numberDecimal");
  return new Double(value);
}

function isText(content: JsonValue, form: RegExp): boolean {
  return typeof content === "string" && form.test(content);
}

function isInteger(content: JsonValue, limit: bigint): boolean {
  if (typeof content !== "string" || !/^-?\d{1,20}$/.test(content)) return false;
  const value = BigInt(content);
  return value >= -limit && value < limit;
}

function isDate(content: JsonValue): boolean {
  if (typeof content === "string") return ISO_DATE.test(content) && !Number.isNaN(Date.parse(content));
  const millis = content instanceof Map && content.size === 1 ? content.get("$numberLong") : undefined;
  if (millis === undefined || !isInteger(millis, INT64)) return false;
  return BigInt(String(millis)) >= -LAST_DATE && BigInt(String(millis)) <= LAST_DATE;
}

function isBinary(content: JsonValue): boolean {
  return hasExactly(content, {
    base64: (text) => isText(text, /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
    subType: (text) => isText(text, /^[0-9a-fA-F]{1,2}$/),
  });
}

function isUint32(content: JsonValue): boolean {
  return content instanceof JsonNumber && /^\d{1,10}$/.test(content.text) && Number(content.text) < 2 ** 32;
}

function isOne(content: JsonValue): boolean {
  return content instanceof JsonNumber && content.text === "1";
}

function hasExactly(
  content: JsonValue,
  checks: Readonly<Record<string, (content: JsonValue) => boolean>>,
): boolean {
  if (!(content instanceof Map) || content.size !== Object.keys(checks).length) return false;
  return Object.entries(checks).every(([key, check]) => {
    const value: JsonValue | undefined = content.get(key);
    return value !== undefined && check(value);
  });
}
