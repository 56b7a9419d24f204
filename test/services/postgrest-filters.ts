import { type Field, Parser } from "./postgrest-parser.ts";
import { arrayText, literal } from "./postgrest-sql.ts";

/** SQL of a field. */
export type FieldSql = (field: Field) => string;

const OPERATORS: Readonly<Record<string, string>> = {
  ...{ eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" },
  ...{ like: "like", ilike: "ilike", match: "~", imatch: "~*", isdistinct: "IS DISTINCT FROM" },
  ...{ cs: "@>", cd: "<@", ov: "&&", sl: "<<", sr: ">>", nxr: "&<", nxl: "&>", adj: "-|-" },
};

const IS: Readonly<Record<string, string>> = {
  null: "IS NULL",
  not_null: "IS NOT NULL",
  true: "IS TRUE",
  false: "IS FALSE",
  unknown: "IS UNKNOWN",
};

/** The condition of one parameter: `id=gt.5`, `or=(a.eq.1,b.is.null)`, `not.and=(…)`, `"odd.name"=eq.x`. */
export function condition(key: string, value: string, sql: FieldSql): string {
  if (/^(not\.)?(and|or)$/.test(key)) {
    const tree = new Parser("logic tree", `${key}${value}`);
    const text = logic(tree, sql);
    tree.end();
    return text;
  }
  const name = new Parser("tree path", key);
  const field = name.field();
  name.end();
  return comparison(new Parser("filter", value), sql(field), false);
}

/** `and(…)`, `not.or(…)` and their members. */
function logic(parser: Parser, sql: FieldSql): string {
  const [prefix] = /^(not\.)?(and|or)(?=\()/.exec(parser.text.slice(parser.at)) ?? [];
  if (prefix === undefined) {
    const field = parser.field();
    parser.expect(".");
    return comparison(parser, sql(field), true);
  }
  parser.at += prefix.length;
  parser.expect("(");
  const members: string[] = [];
  do {
    parser.take(" ");
    members.push(logic(parser, sql));
  } while (parser.take(","));
  parser.expect(")");
  const joined = `(${members.join(prefix.endsWith("or") ? " OR " : " AND ")})`;
  return prefix.startsWith("not.") ? `NOT ${joined}` : joined;
}

/** `eq.value` and its like. Within a tree a value ends at a comma or parenthesis, unless it is quoted. */
function comparison(parser: Parser, field: string, inTree: boolean): string {
  const not = parser.take("not.") ? "NOT " : "";
  const [operator] = /^[a-z]+(?=\.)/.exec(parser.text.slice(parser.at)) ?? [];
  const symbol = operator === undefined ? undefined : OPERATORS[operator];
  if (operator === undefined || (symbol === undefined && operator !== "in" && operator !== "is"))
    throw parser.failure('"not" or operator (eq, gt, ...)');
  parser.at += operator.length + 1;
  if (operator === "in") return `${not}${field} = ANY (${literal(arrayText(list(parser, inTree)))})`;
  const value = inTree ? treeValue(parser) : parser.rest();
  if (operator === "is") {
    const is = IS[value.toLowerCase()];
    if (is === undefined) throw parser.failure("is operator (null, not_null, true, false, unknown)");
    return `${not}${field} ${is}`;
  }
  const text = operator === "like" || operator === "ilike" ? value.replaceAll("*", "%") : value;
  return `${not}${field} ${symbol} ${literal(text)}`;
}

function treeValue(parser: Parser): string {
  const start = parser.at;
  const quoted = parser.quoted();
  if (quoted !== undefined && (parser.done || parser.peek(",") || parser.peek(")"))) return quoted;
  parser.at = start;
  if (parser.peek("{")) return `${parser.until("}")}${parser.take("}") ? "}" : ""}`;
  return parser.until(",)");
}

function list(parser: Parser, inTree: boolean): string[] {
  parser.expect("(");
  const elements: string[] = [];
  while (parser.peek(" ")) parser.take(" ");
  if (!parser.peek(")")) {
    do elements.push(element(parser));
    while (parser.take(","));
  }
  parser.expect(")");
  if (!inTree) parser.end();
  return elements;
}

function element(parser: Parser): string {
  const start = parser.at;
  const quoted = parser.quoted();
  if (quoted !== undefined && (parser.peek(",") || parser.peek(")"))) return quoted;
  parser.at = start;
  return parser.until(",)");
}
