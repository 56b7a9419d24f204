import fc from "fast-check";
import { Binary, type Document, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import type { Postgrest } from "../../services/postgrest/postgrest.ts";
import { collectionRecord, dualsync } from "../../support/cli.ts";
import { TYPES, typedColumns } from "../../support/data/every-type.ts";
import { setSession } from "../../support/stores/session-settings.ts";
import { sharedMongodb, sharedPostgrest } from "../../support/stores/shared-services.ts";

/** Rows of each table: those that SQL makes, and those of fast-check, which have the edges. */
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const [MADE, DRAWN] = LONG ? [300, 300] : [6, 14];
const SEED = 20_261_128;

/** A table with values of one type: in a column beside its key, or as its key. */
interface Sampled {
  readonly table: string;
  readonly type: string;
  readonly isKey: boolean;
  /** SQL of a value for the row n. */
  readonly sql: string;
  readonly texts?: fc.Arbitrary<string>;
}

/** Values that other settings make short, or make alike, and such as they leave alone. */
const MORE: Readonly<Record<string, readonly [type: string, sql: string]>> = {
  near_float8: ["float8", "1234567890123450 + n"],
  near_float4: ["float4", "1234560 + n"],
  short_float8: ["float8", "n / 8.0"],
  short_float4: ["float4", "n / 4.0"],
  short_point: ["point", "point(n, n / 4.0)"],
  near_point: ["point", "point(1, 1234567890123450 + n)"],
  near_points: ["point[]", "array[point(1, 1234567890123450 + n)]"],
  short_floats: ["float4[]", "array[n / 4.0, null]"],
  near_floats: ["float8[]", "array[array[1234567890123450 + n, n]]"],
  one_spot: ["spot", "row('a, \"b\"', 1234567890123450 + n, date '2024-01-02' + n, '\\x00ff')::spot"],
  spots: ["spot[]", "array[row('a', n, null, null)::spot, null]"],
  span: ["float8range", "float8range(1234567890123450 + n, null)"],
  days: ["daterange", "daterange(date '2024-01-02' + n, date '2024-02-03' + n)"],
  many_days: ["datemultirange", "datemultirange(daterange(date '2024-01-02' + n, date '2024-02-03' + n))"],
  several_days: ["daterange[]", "array[daterange(date '2024-01-02' + n, date '2024-02-03' + n), 'empty']"],
  intervals: ["interval[]", "array[make_interval(days => -n, hours => -n), make_interval(months => n)]"],
  amounts: ["money[]", "array[(n * -1234.5)::numeric::money]"],
  odd_bytes: ["bytea[]", "array[decode('5c5c00ff', 'hex'), decode(md5(n::text), 'hex')]"],
};

const KEYS: Readonly<Record<string, string>> = {
  ...{
    float8: "n / 8.0",
    float4: "n / 4.0",
    numeric: "n / 8.0",
    text: "md5(n::text)",
    bytea: "decode(md5(n::text), 'hex')",
  },
  ...{
    date: "date '2024-01-02' + n",
    timestamptz: "timestamptz '2024-01-02 03:04:05.678901Z' + n * interval '1 day'",
  },
  ...{ interval: "make_interval(days => -n, hours => -n)", money: "(n * 1234.5)::numeric::money" },
  ...{ daterange: "daterange(date '2024-01-02', date '2024-02-03' + n)", inet: "'10.0.0.0'::inet + n" },
};

/** What each run says to the connections of the project. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { extra_float_digits: "0" },
  {
    ...{ extra_float_digits: "3", datestyle: "ISO, DMY", timezone: "Asia/Kolkata" },
    ...{ intervalstyle: "iso_8601", bytea_output: "escape", xmlbinary: "hex" },
  },
  { datestyle: "SQL, DMY", timezone: "America/St_Johns", intervalstyle: "postgres_verbose" },
  { intervalstyle: "sql_standard" },
];
const MORE_SETTINGS: typeof SETTINGS = [
  ...["-15", "-3", "1", "2"].map((extra_float_digits) => ({ extra_float_digits })),
  ...["ISO, MDY", "ISO, YMD", "SQL, MDY", "German", "Postgres, MDY", "Postgres, DMY"].map((datestyle) => ({
    datestyle,
  })),
  ...["postgres", "postgres_verbose", "iso_8601"].map((intervalstyle) => ({ intervalstyle })),
  ...["escape", "hex"].map((bytea_output) => ({ bytea_output })),
  ...["base64", "hex"].map((xmlbinary) => ({ xmlbinary })),
  ...["Asia/Kathmandu", "America/St_Johns"].map((timezone) => ({ timezone })),
  ...["de_DE.UTF-8", "ja_JP.UTF-8"].map((lc_monetary) => ({ lc_monetary })),
];

let project: Postgrest;
let mongodb: MongodbService;
let client: MongoClient;
let sampled: readonly Sampled[];
let compared = 0;
let copies = 0;

beforeAll(async () => {
  [project, mongodb] = await Promise.all([sharedPostgrest(), sharedMongodb()]);
  client = await new MongoClient(mongodb.uri).connect();
  const hasXml = await project.query("select '<a/>'::xml").then(
    () => true,
    () => false,
  );
  await project.query(`${TYPES}
    create type spot as (name text, height float8, seen date, raw bytea);
    create type float8range as range (subtype = float8);`);
  sampled = [
    ...typedColumns(hasXml).map((one) => ({ table: `t_${one.name}`, isKey: false, ...one })),
    ...Object.entries(MORE).map(([table, [type, sql]]) => ({ table, type, sql, isKey: false })),
    ...Object.entries(KEYS).map(([type, sql]) => ({ table: `k_${type}`, type, sql, isKey: true })),
  ];
  for (const one of sampled) await fill(one);
  await project.reload();
  return async () => {
    await client.close();
    await Promise.all([project.stop(), mongodb.stop()]);
  };
}, 60_000);
afterAll(() => {
  process.stdout.write(`  ${compared} tables that were called verified are equal, by Postgres's own word\n`);
});

async function fill({ table, type, isKey, sql, texts }: Sampled): Promise<void> {
  if (isKey) {
    await project.query(`create table ${table} (v ${type} primary key);
      insert into ${table} select ${sql} from generate_series(1, ${MADE}) n`);
    return;
  }
  await project.query(`create table ${table} (id int4 primary key, v ${type}); select setseed(0.5);
    insert into ${table} select n, ${sql} from generate_series(1, ${MADE}) n`);
  if (texts === undefined) return;
  const drawn = fc.sample(fc.option(texts, { freq: 10 }), { seed: SEED, numRuns: DRAWN });
  await project.query(
    `insert into ${table} select ${MADE} + v.n, v.x::${type} from unnest($1::text[]) with ordinality as v(x, n)`,
    [drawn],
  );
}

/** What a field of a document says, as a text that Postgres reads: by nothing of the program under test. */
function denoted(value: unknown, type: string, sidecar: string | undefined): string | null {
  const isArray = type.endsWith("[]");
  const isOwn = /^(?:mood|spot|float8range|jsonb?)\b/.test(type);
  if (sidecar !== undefined) return isArray && !isOwn ? arrayOfJson(sidecar) : sidecar;
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) && isArray)
    return `{${value.map((item) => element(item, type.slice(0, -2))).join(",")}}`;
  if (/^jsonb?$/.test(type)) return json(value);
  if (Array.isArray(value)) throw new Error(`an array for ${type}`);
  return scalar(value);
}

function element(item: unknown, type: string): string {
  if (item === null) return "NULL";
  if (Array.isArray(item) && !/^json/.test(type))
    return `{${item.map((one) => element(one, type)).join(",")}}`;
  const text = /^json/.test(type) ? json(item) : scalar(item);
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function scalar(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Binary) return `\\x${Buffer.from(value.buffer).toString("hex")}`;
  if (Object.is((value as { value?: unknown })?.value ?? value, -0)) return "-0";
  return String(value);
}

function json(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(json).join(",")}]`;
  if (value === null || typeof value !== "object" || "_bsontype" in value) return scalar(value);
  const members = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${json(one)}`);
  return `{${members.join(",")}}`;
}

/** An array of JSON as Postgres writes an array, digit for digit. */
function arrayOfJson(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|null|[[\]]/g, (token) => {
    if (token === "[") return "{";
    if (token === "]") return "}";
    if (token === "null") return "NULL";
    return `"${(JSON.parse(token) as string).replace(/["\\]/g, "\\$&")}"`;
  });
}

/** The rows whose value is not the one that their document denotes, and those that one of the two lacks. */
async function unequal({ table, type, isKey }: Sampled, documents: readonly Document[]): Promise<unknown[]> {
  const key = isKey ? "v" : "id";
  const rows = documents.map((document) => {
    const sidecar = document._ds as Record<string, string> | undefined;
    const value = isKey && document.v === undefined ? document._id : document.v;
    return {
      id: scalar(document._id),
      text: denoted(value, type, sidecar?.v),
      exact: sidecar?.v !== undefined,
    };
  });
  // The text of a json without a sidecar is not that of the row, but the same JSON.
  const same =
    type === "json"
      ? "case when d.exact then t.v::text = d.x else t.v::jsonb = d.x::jsonb end is not true and not (t.v is null and d.x is null)"
      : `t.v::text is distinct from d.x::${type}::text`;
  const join = isKey ? `t.v::text = d.x::${type}::text` : "t.id::text = d.id";
  const found = await project.query(
    `select t.${key}::text as row, d.id as document, t.v::text as value, d.x as denoted
     from ${table} t full join unnest($1::text[], $2::text[], $3::bool[]) as d(id, x, exact) on ${join}
     where t.${key} is null or d.id is null or ${same}`,
    [rows.map(({ id }) => id), rows.map(({ text }) => text), rows.map(({ exact }) => exact)],
  );
  return found.rows;
}

describe("verified copies of a Supabase project", () => {
  it.each(LONG ? [...SETTINGS, ...MORE_SETTINGS] : SETTINGS)(
    "a table that a run calls verified equals its copy with the settings %j",
    { timeout: 600_000 },
    async (settings) => {
      const known = await project
        .query(
          `select ${Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', true)`)}`,
        )
        .catch(() => undefined);
      if (known === undefined) return; // this machine has no such locale
      await setSession(project, settings);
      const database = `copy${++copies}`;
      const { code, stdout, stderr } = await dualsync(["backfill", "--json"], {
        env: {
          NEXT_PUBLIC_SUPABASE_URL: project.url,
          SUPABASE_SERVICE_ROLE_KEY: project.serviceKey,
          MONGODB_URI: withDatabase(mongodb.uri, database),
        },
      });
      expect([0, 3], stderr).toContain(code);
      const wrong: Record<string, unknown> = {};
      const verdicts = sampled.map(({ table }) => collectionRecord(stdout, table)?.verdict);
      for (const [at, one] of sampled.entries()) {
        if (verdicts[at] !== "verified") continue;
        const options = { promoteValues: false } as const;
        const documents = await client.db(database).collection(one.table).find({}, options).toArray();
        const rows = await unequal(one, documents);
        if (rows.length > 0) wrong[one.table] = rows.slice(0, 1);
        compared++;
      }
      expect(wrong).toEqual({});
      const named = sampled.filter((_, at) => verdicts[at] !== "verified").map(({ table }) => table);
      if (process.env.SHOW) process.stderr.write(`${JSON.stringify(settings)} ${named.join(" ")}\n`);
      if (Object.keys(settings).length === 0) expect([code, named]).toEqual([0, []]);
    },
  );
});
