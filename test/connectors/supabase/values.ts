import fc from "fast-check";
import type { Column, Table } from "../../../src/connectors/supabase/schema/table.ts";

/** A value as Postgres prints it, in the form that the sidecar has: null is SQL's. */
export type Text = string | null;

export function column(name: string, type: string, more: Partial<Column> = {}): Column {
  return { name, type, nullable: true, hasDefault: false, ...more };
}

export function tableOf(columns: readonly Column[], key: readonly string[] = ["id"]): Table {
  return { name: "t", columns, key, references: [], writable: true };
}

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const whole = digits(40).map((text) => text.replace(/^0+(?=.)/, ""));
/** A numeric's text: never with an exponent, never a negative zero. */
const numeric = fc
  .tuple(
    fc.boolean(),
    fc.oneof(whole, fc.constantFrom("0", "1", "12")),
    fc.option(digits(25), { nil: undefined }),
  )
  .map(([negative, before, after]) => {
    const text = after === undefined ? before : `${before}.${after}`;
    return negative && /[1-9]/.test(text) ? `-${text}` : text;
  });
const oneNumeric = fc.oneof(
  numeric,
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => {
    const text = String(Object.is(value, -0) ? 0 : value);
    return text.includes("e") ? "0.10" : text;
  }),
  fc.integer().map((cents) => (cents / 100).toFixed(2)),
);

const character = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constant('a"\\\n\t,{}'),
);
/** No U+0000 and no half pair: Postgres has neither. */
const words = character.map((text) => text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "?"));

function jsonArbitrary(
  number: fc.Arbitrary<string>,
  comma: string,
  colon: string,
  keys: fc.Arbitrary<string>,
) {
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom("null", "true", "false"),
      number,
      words.map((text) => JSON.stringify(text)),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(comma)}]`),
      fc
        .uniqueArray(fc.tuple(keys, tie("value")), { maxLength: 4, selector: ([key]) => key })
        .map(
          (members) => `{${members.map(([key, text]) => JSON.stringify(key) + colon + text).join(comma)}}`,
        ),
    ),
  }));
  return value;
}

const names = fc.oneof(words, fc.constantFrom("__proto__", "1", "02", "", "a.b", "$x", "_id", "toString"));
const shallowJsonb = jsonArbitrary(oneNumeric, ", ", ": ", names);
const deep = fc.integer({ min: 80, max: 120 }).map((levels) => "[".repeat(levels) + "]".repeat(levels));
const jsonb = fc.oneof({ weight: 20, arbitrary: shallowJsonb }, deep);
/** A json's text is whatever was written. */
const json = fc.oneof(
  { weight: 20, arbitrary: jsonArbitrary(oneNumeric, ",", ":", names) },
  {
    weight: 5,
    arbitrary: jsonArbitrary(
      fc.oneof(oneNumeric, fc.constantFrom("-0", "1E5", "1e-400", "1e999")),
      " ,\n",
      " : ",
      names,
    ),
  },
  fc.constantFrom(
    '{"a":1,"a":2}',
    '"\\u0000"',
    '"\\ud800"',
    '{"\\u0000":1}',
    '{"\\udc00":1}',
    '"\\/\\u0041"',
    "1e99999999999",
  ),
  deep,
);

const two = (most: number, least = 0) =>
  fc.integer({ min: least, max: most }).map((value) => String(value).padStart(2, "0"));
const fraction = fc.constantFrom(
  "",
  ".1",
  ".12",
  ".123",
  ".1234",
  ".12345",
  ".123456",
  ".000001",
  ".999999",
  ".001",
);
const clock = fc.tuple(two(23), two(59), two(59), fraction).map(([h, m, s, f]) => `${h}:${m}:${s}${f}`);
const year = fc.oneof(
  fc.integer({ min: 1900, max: 2100 }),
  fc.integer({ min: 1, max: 9999 }),
  fc.constantFrom(1, 2, 99, 100, 9999, 10_000, 294_276),
);
const day = fc
  .tuple(year, two(12, 1), two(28, 1), fc.constantFrom("", "", "", "", " BC"))
  .map(([y, m, d, era]) => ({
    text: `${String(y).padStart(4, "0")}-${m}-${d}`,
    era: era === "" || y > 4000 ? "" : era,
  }));
const timestamp = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(day, clock).map(([{ text, era }, time]) => `${text}T${time}${era}`) },
  fc.constantFrom("infinity", "-infinity"),
);
const timestamptz = fc
  .oneof(
    {
      weight: 20,
      arbitrary: fc.tuple(
        day,
        clock,
        fc.constantFrom("+00:00", "+00:00", "+00:00", "+05:30", "-03:00", "+00:19:32"),
      ),
    },
    fc.constantFrom("infinity", "-infinity"),
  )
  .map((parts) =>
    typeof parts === "string" ? parts : `${parts[0].text}T${parts[1]}${parts[2]}${parts[0].era}`,
  );

const float = (texts: fc.Arbitrary<number>) =>
  texts.map((value) => (Object.is(value, -0) ? "-0" : String(value).replace(/^(-?\d)e/, "$1e")));
/** Postgres prints no decimal that lies midway between two float4, though it rounds to one. */
const shortestFloat4 = (value: number) => {
  for (let length = 1; length <= 9; length++) {
    const shortest = Number(value.toPrecision(length));
    const beyond = 2 * shortest - value;
    if (shortest === value || (Math.fround(shortest) === value && Math.fround(beyond) !== beyond))
      return shortest;
  }
  return value;
};

/** An array literal's element, quoted as Postgres quotes. */
function inLiteral(text: Text): string {
  if (text === null) return "NULL";
  const isPlain = text !== "" && !/[ \t\n\r\v\f{},"\\]/.test(text) && text.toUpperCase() !== "NULL";
  return isPlain ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

const literalOf = (element: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.array(fc.option(element), { maxLength: 4 }).map((items) => `{${items.map(inLiteral).join(",")}}`),
    fc.tuple(element, element).map(([a, b]) => `[0:1]={${inLiteral(a)},${inLiteral(b)}}`),
    fc.tuple(element, element).map(([a, b]) => `{{${inLiteral(a)}},{${inLiteral(b)}}}`),
  );

/** A JSON array as PostgREST prints it, of one or two dimensions. */
const arrayOf = (type: string, element: fc.Arbitrary<string>) => {
  const item = fc.option(element).map((text) => onWire(type, text));
  const row = fc.array(item, { maxLength: 4 }).map((items) => `[${items.join(",")}]`);
  return fc.oneof(
    row,
    fc.tuple(item, item).map(([a, b]) => `[[${a}],[${b}]]`),
  );
};

const uuid = fc.uuid();
const bytea = fc.uint8Array({ maxLength: 20 }).map((bytes) => `\\x${Buffer.from(bytes).toString("hex")}`);
const float8 = float(fc.double());
/** The last ones as Postgres shortens them, and JavaScript does not. */
const float4 = fc.oneof(
  {
    weight: 10,
    arbitrary: float(fc.float().map((value) => (Number.isFinite(value) ? shortestFloat4(value) : value))),
  },
  fc.constantFrom("1.2621775e-29", "0.00024414062", "1.2379401e+27", "1e-45"),
);

/** Texts of every type, as Postgres prints them. */
export const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  int2: fc.integer({ min: -32_768, max: 32_767 }).map(String),
  int4: fc.integer().map(String),
  int8: fc
    .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -100n, max: 100n }))
    .map(String),
  numeric: fc.oneof(
    { weight: 20, arbitrary: oneNumeric },
    fc.constantFrom("NaN", "Infinity", "-Infinity", `1${"0".repeat(400)}`),
  ),
  float4,
  float8,
  bool: fc.constantFrom("true", "false"),
  text: words,
  bpchar: words,
  uuid,
  date: fc.oneof(
    day.map(({ text, era }) => text + era),
    fc.constantFrom("infinity", "-infinity"),
  ),
  time: clock,
  interval: fc.constantFrom("1 year 2 mons 3 days 04:05:06.789", "00:00:00"),
  timestamp,
  timestamptz,
  bytea,
  json,
  jsonb,
  inet: fc.ipV4(),
  mood: fc.constantFrom("happy", "sad", "5", "1.50", "true", "null", "", '{"a": 1}', '(1,"a ""b""")'),
  "int4[]": arrayOf("int4", fc.integer().map(String)),
  "int8[]": arrayOf("int8", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
  "numeric[]": arrayOf("numeric", oneNumeric),
  "text[]": arrayOf("text", words),
  "uuid[]": arrayOf("uuid", uuid),
  "bytea[]": arrayOf("bytea", bytea),
  "bool[]": arrayOf("bool", fc.constantFrom("true", "false")),
  "timestamptz[]": arrayOf("timestamptz", timestamptz),
  "jsonb[]": literalOf(shallowJsonb),
  "json[]": literalOf(json),
  "mood[]": literalOf(words),
};

const NUMBERS = new Set(["int2", "int4", "int8", "numeric", "float4", "float8"]);

/** What PostgREST sends for a value. */
export function onWire(type: string, text: Text): string {
  if (text === null) return "null";
  if (type === "bool" || (type.endsWith("[]") && !/^json|^mood/.test(type))) return text;
  return NUMBERS.has(type) && !/[NI]/.test(text) ? text : JSON.stringify(text);
}

/** The body of a page. */
export function pageOf(table: Table, rows: readonly (readonly Text[])[]): Buffer {
  const printed = rows.map((row) => {
    const members = table.columns.map(
      ({ name, type }, at) => `${JSON.stringify(name)}:${onWire(type, row[at] ?? null)}`,
    );
    return `{${members.join(",")}}`;
  });
  return Buffer.from(`[${printed.join(", \n ")}]`);
}
