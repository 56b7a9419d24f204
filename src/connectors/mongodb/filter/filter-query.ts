import type { JsonValue } from "../../../json/json-reader.ts";
import {
  bsonValue,
  FilterProblem,
  integerText,
  isPattern,
  isRegexOptions,
  isRegularExpression,
  isSmallCount,
  isTyped,
  shownName,
} from "./filter-values.ts";

type QueryTree = ReadonlyMap<string, JsonValue>;
type Query = Map<string, unknown>;

const LOGICAL = new Set(["$and", "$or", "$nor"]);
const COMPARISONS = new Set(["$gt", "$gte", "$lt", "$lte", "$ne"]);
const BIT_TESTS = new Set(["$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear"]);
const OTHERS = [
  "$eq",
  "$in",
  "$nin",
  "$not",
  "$exists",
  "$type",
  "$all",
  "$elemMatch",
  "$size",
  "$mod",
  "$regex",
  "$options",
];

/** Every operator that a filter may use. None runs code, calls a service, or depends on an index or another collection. */
export const OPERATORS: readonly string[] = [...LOGICAL, ...COMPARISONS, ...BIT_TESTS, ...OTHERS];

/**
 * A query document for MongoDB from its Extended JSON. Fails with `FilterProblem`.
 *
 * Written by hand: EJSON of bson passes every operator, and a filter may use listed ones only.
 */
export function queryOf(tree: JsonValue): Query {
  const query: Query = new Map();
  for (const [key, value] of fieldsOf(tree, "a filter")) {
    query.set(key, key.startsWith("$") ? logical(key, value) : condition(value));
  }
  return query;
}

function logical(operator: string, value: JsonValue): unknown {
  refuseUnknown(operator);
  if (!LOGICAL.has(operator)) throw new FilterProblem(`${operator} belongs under a field name`);
  return nonEmptyArray(operator, value).map(queryOf);
}

/** What a field is held against: a value, or an object of operators. */
function condition(value: JsonValue): unknown {
  return isOperators(value) ? operatorsOf(value) : bsonValue(value);
}

function isOperators(value: JsonValue): value is QueryTree {
  if (!(value instanceof Map) || isTyped(value)) return false;
  return [...value.keys()].some((key: string) => key.startsWith("$"));
}

function operatorsOf(tree: QueryTree): Query {
  const query: Query = new Map();
  for (const [operator, value] of tree) {
    if (!operator.startsWith("$"))
      throw new FilterProblem("operators and field names are mixed in one object");
    refuseUnknown(operator);
    if (LOGICAL.has(operator)) throw new FilterProblem(`${operator} cannot be used under a field name`);
    query.set(operator, operand(operator, value));
  }
  if (tree.has("$options") && !tree.has("$regex")) throw new FilterProblem("$options needs $regex");
  return query;
}

function operand(operator: string, value: JsonValue): unknown {
  if (COMPARISONS.has(operator) && isRegularExpression(value))
    throw new FilterProblem(`${operator} takes no regular expression`);
  if (COMPARISONS.has(operator) || operator === "$eq") return bsonValue(value);
  if (operator === "$in" || operator === "$nin") return arrayOf(operator, value).map(bsonValue);
  if (operator === "$not") return negated(value);
  if (operator === "$elemMatch") return elementOf(value);
  if (operator === "$all") return arrayOf(operator, value).map(allElement);
  if (!isOperand(operator, value)) throw new FilterProblem(`${operator} does not take this value`);
  return bsonValue(value);
}

function isOperand(operator: string, value: JsonValue): boolean {
  if (BIT_TESTS.has(operator)) return isBits(value);
  switch (operator) {
    case "$exists":
      return typeof value === "boolean";
    case "$type":
      return Array.isArray(value) ? value.length > 0 && value.every(isTypeName) : isTypeName(value);
    case "$size":
      return isSmallCount(value);
    case "$mod":
      return isModulus(value);
    case "$regex":
      return isPattern(value) || isRegularExpression(value);
    default:
      return isRegexOptions(value);
  }
}

function isTypeName(value: JsonValue): boolean {
  return typeof value === "string" || integerText(value) !== undefined;
}

function isModulus(value: JsonValue): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [divisor, remainder] = value.map(integerText);
  return divisor !== undefined && remainder !== undefined && BigInt(divisor) !== 0n;
}

function isBits(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.every(isSmallCount);
  const mask = integerText(value);
  return mask === undefined ? value instanceof Map && value.has("$binary") : BigInt(mask) >= 0n;
}

function negated(value: JsonValue): unknown {
  if (isRegularExpression(value)) return bsonValue(value);
  if (isOperators(value)) return operatorsOf(value);
  throw new FilterProblem("$not takes an object of operators or a regular expression");
}

/** Either operators for the elements themselves, or a query for elements that are documents. */
function elementOf(value: JsonValue): Query {
  const first = value instanceof Map ? value.keys().next().value : undefined;
  return isOperators(value) && typeof first === "string" && !LOGICAL.has(first) && first.startsWith("$")
    ? operatorsOf(value)
    : queryOf(value);
}

function allElement(value: JsonValue): unknown {
  if (!isOperators(value)) return bsonValue(value);
  if (value.size !== 1 || !value.has("$elemMatch"))
    throw new FilterProblem("$all takes values or $elemMatch, and no other operator");
  return operatorsOf(value);
}

function fieldsOf(tree: JsonValue, what: string): QueryTree {
  if (tree instanceof Map && !isTyped(tree)) return tree;
  throw new FilterProblem(`${what} must be an object of field names, as in {"status": "open"}`);
}

function nonEmptyArray(operator: string, value: JsonValue): readonly JsonValue[] {
  const array = arrayOf(operator, value);
  if (array.length === 0) throw new FilterProblem(`${operator} takes a non-empty array`);
  return array;
}

function arrayOf(operator: string, value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw new FilterProblem(`${operator} takes an array`);
}

function refuseUnknown(operator: string): void {
  if (!OPERATORS.includes(operator)) throw new FilterProblem(`${shownName(operator)} is not allowed`);
}
