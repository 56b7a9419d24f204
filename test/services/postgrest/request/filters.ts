import { PostgrestError } from "../answer/errors.ts";
import { arrayText, literal } from "../sql.ts";
import { type Field, Parser } from "./parser.ts";

/** SQL of a field. */
export type FieldSql = (field: Field) => string;

const OPERATORS: Readonly<Record<string, string>> = {
  ...{ neq: "<>", isdistinct: "IS DISTINCT FROM" },
  ...{ cs: "@>", cd: "<@", ov: "&&", sl: "<<", sr: ">>", nxr: "&<", nxl: "&>", adj: "-|-" },
};

/** Operators that also compare with any or all elements of an array: `eq(any).{1,2}`. */
const QUANTIFIABLE: Readonly<Record<string, string>> = {
  ...{ eq: "=", gt: ">", gte: ">=", lt: "<", lte: "<=" },
  ...{ like: "like", ilike: "ilike", match: "~", imatch: "~*" },
};

/** The condition of one parameter: `id=gt.5`, `or=(a.eq.1,b.is.null)`, `not.and=(…)`, `"odd.name"=eq.x`. */
export function condition(key: string, value: string, sql: FieldSql): string {
  if (/^(not\.)?(and|or)$/.test(key)) return logic(new Parser("logic tree", `${key}${value}`), sql);
  const name = new Parser("tree path", key);
  const field = name.field();
  if (name.peek(".")) {
    const message = `'${field.name}' is not an embedded resource in this request`;
    const hint = `Verify that '${field.name}' is included in the 'select' query parameter.`;
    throw new PostgrestError(400, "PGRST108", message, { hint });
  }
  return comparison(new Parser("filter", value), sql(field), false);
}

/** `and(…)`, `not.or(…)` and their members. */
function logic(parser: Parser, sql: FieldSql): string {
  const [, not, operator] = parser.match(/^(not\.)?(and|or)(?=[ \t]*\()/) ?? [];
  if (operator === undefined) {
    const field = parser.field();
    parser.expect(".");
    return comparison(parser, sql(field), true);
  }
  parser.expect("(");
  const members: string[] = [];
  do members.push(logic(parser, sql));
  while (parser.separator(","));
  parser.expect(")");
  return `${not === undefined ? "" : "NOT "}(${members.join(` ${operator.toUpperCase()} `)})`;
}

/** `eq.value` and its like. Within a tree a value ends at a comma or parenthesis, unless it is quoted. */
function comparison(parser: Parser, field: string, inTree: boolean): string {
  const start = parser.at;
  const compared = `${parser.take("not.") ? "NOT " : ""}${field}`;
  const [, operator = "", quantifier] = parser.match(/^([a-z]+)(?:\((any|all)\))?\./) ?? [];
  if (operator === "in" && quantifier === undefined)
    return `${compared} = ANY (${literal(listText(list(parser)))})`;
  if (operator === "is" && quantifier === undefined) {
    const [is] = parser.match(/^(null|not_null|true|false|unknown)/i) ?? [];
    if (is === undefined) throw parser.failure("isVal: (null, not_null, true, false, unknown)");
    return `${compared} IS ${is.toUpperCase().replace("_", " ")}`;
  }
  const plain = quantifier === undefined ? OPERATORS[operator] : undefined;
  const symbol = plain ?? QUANTIFIABLE[operator];
  if (symbol === undefined) {
    parser.at = start;
    throw parser.failure('"not" or operator (eq, gt, ...)');
  }
  const value = inTree ? treeValue(parser) : parser.rest();
  const text = literal(operator.endsWith("like") ? value.replaceAll("*", "%") : value);
  return `${compared} ${symbol} ${quantifier === undefined ? text : `${quantifier.toUpperCase()} (${text})`}`;
}

/** A list of one empty text is an empty list to PostgREST, quoted or not. */
function listText(elements: readonly string[]): string {
  return elements.length === 1 && elements[0] === "" ? "{}" : arrayText(elements);
}

function treeValue(parser: Parser): string {
  return quotedElement(parser) ?? parser.match(/^\{[^{}]*\}/)?.[0] ?? parser.until(",)");
}

function list(parser: Parser): string[] {
  parser.expect("(");
  const elements: string[] = [];
  do elements.push(quotedElement(parser) ?? parser.until(",)"));
  while (parser.take(","));
  parser.expect(")");
  return elements;
}

/** A value in quotes, if it ends where they do. */
function quotedElement(parser: Parser): string | undefined {
  const start = parser.at;
  const quoted = parser.quoted();
  if (quoted !== undefined && (parser.done || parser.peek(",") || parser.peek(")"))) return quoted;
  parser.at = start;
  return undefined;
}
