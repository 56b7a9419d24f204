import fc from "fast-check";
import { VALUES } from "../../connectors/supabase/values.ts";

/** A column of a table that has every type: how it is declared, and values of it in two ways. */
export interface TypedColumn {
  readonly name: string;
  readonly type: string;
  /** An SQL expression of another value for each row. */
  readonly sql: string;
  /** Texts as Postgres reads them, those with edges among them. */
  readonly texts: fc.Arbitrary<string>;
}

export const TYPES = `
  create type mood as enum ('glad', 'so so', 'sad, "very"');
  create domain price as numeric(10, 3) check (value > -1000000);
  create domain label as text;
  create type place as (street text, number int8, at timestamptz, price numeric);
`;

const known = (type: string): fc.Arbitrary<string> => VALUES[type] as fc.Arbitrary<string>;
const some = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const list = (element: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const item = fc.option(element, { freq: 6 }).map((text) => (text === null ? "NULL" : quoted(text)));
  const row = fc.array(item, { maxLength: 3 }).map((items) => `{${items.join(",")}}`);
  return fc.oneof(
    row,
    fc.tuple(item, item).map(([a, b]) => `{{${a},${b}},{${b},${a}}}`),
  );
};
const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
/** Not one that stands for SQL's NULL on the way, nor one with what Postgres's text has not. */
const writable = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  texts.filter((text) => text.trim() !== "null" && !/\\u(?:0000|d[89a-f])/i.test(text));
const cents = (digits: number, scale: number): fc.Arbitrary<string> =>
  fc.bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n }).map((value) => {
    const [sign, text] = [
      value < 0n ? "-" : "",
      String(value < 0n ? -value : value).padStart(scale + 1, "0"),
    ];
    return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
  });
const stamp = "timestamp '2001-01-01' + random() * interval '40 years'";
const spread = "(random() - 0.5) * 10 ^ (random() * 12)";

const COLUMNS: Readonly<Record<string, readonly [sql: string, texts: fc.Arbitrary<string>]>> = {
  int2: ["(random() * 60000 - 30000)::int2", known("int2")],
  int4: ["(random() * 4e9 - 2e9)::int4", known("int4")],
  int8: ["(random() * 1.8e19 - 9e18)::int8", known("int8")],
  numeric: [`(${spread})::numeric + random()::numeric / 7`, known("numeric")],
  "numeric(12, 2)": ["(random() * 1e9)::numeric(12, 2)", fc.oneof(cents(12, 2), some("NaN", "0"))],
  "numeric(30, 12)": ["(random() * 1e9)::numeric(30, 12)", cents(30, 12)],
  "numeric(5, -2)": ["(random() * 1e6)::numeric(5, -2)", some("0", "1200", "-9999900")],
  float4: [
    "((random() - 0.5) * 10 ^ (random() * 60 - 30))::float4",
    fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value)),
      some("-0", "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e+38", "-1.1754944e-38", "0.1"),
    ),
  ],
  float8: [spread, known("float8")],
  bool: ["random() < 0.5", known("bool")],
  text: ["repeat(chr(161 + (random() * 50000)::int), (random() * 9)::int)", known("text")],
  "varchar(12)": [
    "left(md5(random()::text), 12)",
    some("", " ", "a  ", "ü".repeat(12), "null", "NULL", "\\N"),
  ],
  "char(6)": ["left(md5(random()::text), 4)", some("", "a", "abcdef", " b")],
  '"char"': ['chr(65 + (random() * 20)::int)::"char"', some("a", "", "~")],
  name: ["left(md5(random()::text), 9)::name", some("n", "ä b")],
  uuid: ["gen_random_uuid()", known("uuid")],
  date: [`(${stamp})::date`, known("date")],
  time: [`(${stamp})::time`, fc.oneof(known("time"), some("24:00:00"))],
  timetz: [
    `(${stamp})::time at time zone 'Asia/Kolkata'`,
    some("24:00:00+00", "12:00:00.5+05:30", "01:02:03.000001-15:59:59"),
  ],
  timestamp: [stamp, known("timestamp")],
  timestamptz: [`(${stamp}) at time zone 'America/St_Johns'`, known("timestamptz")],
  interval: [
    "random() * interval '3 years 40 days' - random() * interval '2 years'",
    some(
      "-1 year 2 mons -3 days 04:05:06.789",
      "0",
      "1 day -00:00:00.000001",
      "178000000 years",
      "-2 mons",
      "1 year -1 day 1 hour",
    ),
  ],
  bytea: ["decode(md5(random()::text), 'hex')", known("bytea")],
  json: [
    "json_build_object('b', random(), 'a', array[1, 2], 'n', null, 't', repeat('x', 5))",
    // A text by itself is escaped again on its way into a column.
    writable(known("json")).filter((text) => !text.includes("\\/")),
  ],
  jsonb: [
    "jsonb_build_object('k', random()::text, 'big', 12345678901234567890.1234567890, 'm', jsonb_build_array(null, 1.0, '{}'::jsonb))",
    writable(known("jsonb")),
  ],
  "int4[]": ["array[(random() * 1e9)::int4, null, 3]", list(known("int4"))],
  "int8[]": ["array[(random() * 9e18)::int8]", list(known("int8"))],
  "text[]": ["array[md5(random()::text), null, '', 'NULL']", list(known("text"))],
  "numeric[]": ["array[random()::numeric, 1.50]", list(known("numeric").filter((text) => text.length < 99))],
  "float8[]": [`array[${spread}, 'NaN', '-0']`, list(known("float8"))],
  "bool[]": ["array[random() < 0.5, null]", list(known("bool"))],
  "uuid[]": ["array[gen_random_uuid()]", list(known("uuid"))],
  "timestamptz[]": [`array[(${stamp})::timestamptz, 'infinity']`, list(known("timestamptz"))],
  "date[]": [`array[(${stamp})::date]`, list(known("date"))],
  "bytea[]": ["array[decode(md5(random()::text), 'hex')]", list(known("bytea"))],
  "jsonb[]": ["array['{\"a\": [1, null]}'::jsonb, null, '[]']", list(writable(known("jsonb")))],
  mood: ["(array['glad', 'so so']::mood[])[1 + (random() * 1)::int]", some("glad", "so so", 'sad, "very"')],
  "mood[]": ["array['glad', null]::mood[]", list(some("glad", 'sad, "very"'))],
  price: ["(random() * 1e5)::price", cents(9, 3).filter((text) => Number(text) > -1e6)],
  label: ["md5(random()::text)::label", known("text")],
  place: [
    `row(md5(random()::text), (random() * 9e18)::int8, ${stamp}, 1.50)::place`,
    some(
      '("a ""b"", c",9007199254740993,"2024-01-01 00:00:00.123456+00",1.500)',
      "(,,,)",
      '("",-1,infinity,NaN)',
    ),
  ],
  int4range: ["int4range(1, 2 + (random() * 99)::int)", some("empty", "[1,5)", "(,)", "[,3)")],
  numrange: ["numrange(0, random()::numeric)", some("(1.50,2.000]", "empty", "[,)")],
  tstzrange: [
    `tstzrange(${stamp}, null)`,
    some('["2024-01-01 00:00:00.123456+00","2025-01-01 00:00:00+00")', "(,infinity]"),
  ],
  int8multirange: [
    "int8multirange(int8range(1, 5), int8range(9, 10 + (random() * 9)::int))",
    some("{}", "{[1,3),[5,7)}"),
  ],
  inet: ["('10.0.0.' || (random() * 255)::int)::inet", some("::1", "10.1.2.3/8", "fe80::1/64")],
  cidr: ["('10.' || (random() * 255)::int || '.0.0/16')::cidr", some("::/0", "192.168.0.0/24")],
  macaddr: ["'08:00:2b:01:02:03'::macaddr", some("ff:ff:ff:ff:ff:ff")],
  macaddr8: ["'08:00:2b:01:02:03:04:05'::macaddr8", some("ff:ff:ff:ff:ff:ff:ff:fe")],
  "bit(5)": ["(random() * 31)::int::bit(5)", some("00000", "10101")],
  varbit: ["(random() * 31)::int::bit(7)::varbit", some("", "1", "0101")],
  money: ["(random() * 1e6)::numeric::money", some("-$1,234.50", "$0.00", "$92,233,720,368,547,758.07")],
  point: ["point(random(), -random())", some("(0,-0)", "(1e-300,Infinity)")],
  box: ["box(point(random(), 1), point(2, 3))", some("(1,1),(0,0)")],
  polygon: ["'((0,0),(1,1),(2,0))'::polygon", some("((0.1,0.2))")],
  tsvector: ["to_tsvector('simple', 'the quick ' || md5(random()::text))", some("'a':1A 'b''c':2,3B", "")],
  tsquery: ["'fat & (rat | !cat)'::tsquery", some("'a':* <-> 'b'")],
  pg_lsn: ["'16/B374D848'::pg_lsn", some("0/0", "FFFFFFFF/FFFFFFFF")],
  oid: ["(random() * 4e9)::int8::oid", some("0", "4294967295")],
  xml: [
    "xmlelement(name a, xmlattributes(random() as b), 'é')",
    some("<a/>", "text &amp; more", "<!-- c --><x y='1'>\n</x>"),
  ],
};

/** Without `xml` where the server was built without it. */
export function typedColumns(hasXml: boolean): readonly TypedColumn[] {
  return Object.entries(COLUMNS)
    .filter(([type]) => hasXml || type !== "xml")
    .map(([type, [sql, texts]], at) => ({ name: `c${at}_${type.replace(/\W+/g, "_")}`, type, sql, texts }));
}
