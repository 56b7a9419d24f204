/** Postgres's short names of types by what PostgREST calls them: SQL's long names, or since 14.8 OpenAPI's integers. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ["smallint", "int2"],
  ["integer", "int4"],
  ["int32", "int4"],
  ["bigint", "int8"],
  ["int64", "int8"],
  ["real", "float4"],
  ["double precision", "float8"],
  ["decimal", "numeric"],
  ["boolean", "bool"],
  ["character varying", "varchar"],
  ["character", "bpchar"],
  ['"char"', "char"],
  ["bit varying", "varbit"],
  ["time without time zone", "time"],
  ["time with time zone", "timetz"],
  ["timestamp without time zone", "timestamp"],
  ["timestamp with time zone", "timestamptz"],
]);

export interface TypeName {
  readonly type: string;
  /** Digits after the point, where the name says so. */
  readonly scale?: number;
}

/**
 * The short name of a type; `int4[]` for an array of any dimensions. A type of the project's own keeps its schema, so
 * that `public.text` is not taken for `text`.
 */
export function typeName(format: string): TypeName {
  const [, element = "", array = ""] = /^(.*?)((?:\[\d*\])*)$/s.exec(format.trim()) ?? [];
  const modifier = /^([a-z ]+?)\s*\(\s*(\d{1,4})\s*(?:,\s*(-?\d{1,4})\s*)?\)(.*)$/.exec(element);
  const plain = modifier === null ? element : `${modifier[1]}${modifier[4]}`;
  const name = plain.replace(/^pg_catalog\./, "").trim();
  const type = `${SHORT.get(name) ?? name}${array === "" ? "" : "[]"}`;
  const scale = name === "numeric" && modifier !== null ? Number(modifier[3] ?? 0) : undefined;
  return scale === undefined || scale < 0 ? { type } : { type, scale };
}
