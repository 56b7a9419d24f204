import { type Document, Double, Long, serialize } from "bson";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo, IdRange } from "../../../../src/connectors/collection.ts";
import type { RecordDigester } from "../../../../src/connectors/powers/digests.ts";
import { floatText } from "../../../../src/connectors/supabase/mapping/to-row/row-text.ts";
import { installSql } from "../../../../src/connectors/supabase/sql/sql.ts";
import { type SupabaseStore, supabase } from "../../../../src/connectors/supabase/supabase.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import type { Postgrest } from "../../../services/postgrest/postgrest.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { EMPTY_PROJECT } from "../../../support/stores/project-pair.ts";
import { sharedPostgrest } from "../../../support/stores/shared-services.ts";
import { onWire, VALUES } from "../values.ts";

let project: Postgrest;
beforeAll(async () => {
  project = await sharedPostgrest();
  await project.query(installSql());
});
afterAll(() => project.stop());

interface Opened {
  readonly store: SupabaseStore;
  readonly info: CollectionInfo;
  readonly digester: RecordDigester | undefined;
}

/** A project with this table alone. */
async function made(sql: string): Promise<Opened> {
  await project.query(`${EMPTY_PROJECT}; drop type if exists mood; ${sql}`);
  return await opened();
}

async function opened(): Promise<Opened> {
  await project.reload();
  const options = { url: project.url, key: project.serviceKey, schema: "public", label: "test" } as const;
  const store = await supabase({ ...options, role: "source", retries: 0 }, never);
  const [info] = (await store.list(never)).collections;
  if (info === undefined) throw new Error("not listed");
  return { store, info, digester: await store.mapping?.digester?.(info, never) };
}

async function documentsOf({ store, info }: Opened, range: IdRange = {}): Promise<Doc[]> {
  const documents: Doc[] = [];
  for await (const batch of store.read(info, { range, signal: never })) documents.push(...batch.docs());
  return documents;
}

function hashed({ digester }: Opened, documents: readonly Doc[]) {
  const hash = digester?.hash();
  hash?.add(Batch.of(documents));
  return hash?.digest();
}

const TYPES = Object.keys(VALUES);
const SAMPLES = 15;

describe("digests of rows", () => {
  it("hashes rows like the documents made from them, for values of every type", async () => {
    const columns = TYPES.map((type, at) => `"c ${at}" ${type}`).join(", ");
    await project.query(`${EMPTY_PROJECT}; drop type if exists mood; create type mood as enum ('happy', 'sad');
      create table t (id int4 primary key, ${columns})`);
    const types: string[] = [];
    for (const [at, type] of TYPES.entries()) {
      for (const text of fc.sample(VALUES[type] as fc.Arbitrary<string>, SAMPLES)) {
        const row = `{"id": ${types.length}, "c ${at}": ${onWire(type, text)}}`;
        const insert = "insert into t select * from json_populate_record(null::t, $1)";
        // Of what a type does not take there is nothing to hash.
        await project.query(insert, [row]).then(
          () => types.push(type),
          () => undefined,
        );
      }
    }
    expect(types.length).toBeGreaterThan(TYPES.length * SAMPLES * 0.6);
    const found = await opened();
    const documents = await documentsOf(found);
    const pieces = (await found.digester?.digestPieces({}, types.length, never)) ?? [];
    expect([documents.length, pieces.length]).toEqual([types.length, types.length]);
    const wrong = pieces.flatMap(({ digest }, at) => {
      const { equivalent, ...own } = hashed(found, documents.slice(at, at + 1)) ?? {};
      expect(equivalent).toBe(0);
      return JSON.stringify(own) === JSON.stringify(digest) ? [] : [types[at]];
    });
    // Of a float there may be another shortest text: such rows are read.
    expect(wrong.filter((type) => !type?.startsWith("float"))).toEqual([]);
    expect(wrong.length).toBeLessThan(SAMPLES);
  });

  it("writes floats as Postgres does, except for the few that have two shortest texts", async () => {
    const round = [1e15, 123456789012345, 999999999999999.9, 1e-4, 1.5e-5, 1e6, 999999, 1e20, 1e300, 0];
    const singles = fc.sample(fc.float({ noNaN: true, noDefaultInfinity: true, min: 2 ** -120 }), 1_000);
    for (const [type, values] of [
      ["float8", [...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 2_000), ...round]],
      ["float4", singles],
    ] as const) {
      const texts = values.map((value) => String(Object.is(value, -0) ? 0 : value));
      const sql = `select v::${type}::text as text from unnest($1::text[]) v`;
      const printed = (await project.query(sql, [texts])).rows.map(({ text }) => String(text));
      const wrong = printed.filter((text) => floatText(type, String(Number(text))) !== text);
      expect(printed).toHaveLength(values.length);
      expect(wrong.length, wrong.join(" ")).toBeLessThan(values.length / 100);
    }
    expect([floatText("float8", "-0"), floatText("float4", "100000000")]).toEqual(["-0", "1e+08"]);
  });
});

/** What a column holds, and what else it might: two rows that must not hash the same. */
const KINDS: readonly (readonly [what: string, before: string, after: string])[] = [
  ["NULL and 'null'", "a = null", "a = 'null'"],
  ["NULL and nothing", "a = null", "a = ''"],
  ["two columns swapped", "a = 'x', b = 'y'", "a = 'y', b = 'x'"],
  ["a value in another column", "a = 'x', b = null", "a = null, b = 'x'"],
  ["a border moved", "a = 'ab', b = 'c'", "a = 'a', b = 'bc'"],
  ["a separator moved", `a = 'p","b":"q', b = 'r'`, `a = 'p', b = 'q","b":"r'`],
  ["a backslash", String.raw`a = '\n'`, "a = e'\\n'"],
  ["a space at the end", "a = 'x'", "a = 'x '"],
  ["two spellings of one letter", "a = U&'e\\0301'", "a = 'é'"],
  ["a microsecond", "at = '2026-01-01 08:00:00.123456Z'", "at = '2026-01-01 08:00:00.123457Z'"],
  ["a time and infinity", "at = 'infinity'", "at = '-infinity'"],
  ["the scale of a number", "n = 1.5", "n = 1.50"],
  ["the last of many digits", "n = 12345678901234567890.1", "n = 12345678901234567890.2"],
  ["a whole number beyond 2^53", "big = 9007199254740992", "big = 9007199254740993"],
  ["the sign of zero", "f = 0", "f = '-0'"],
  ["the last bit of a float", "f = 0.1", "f = 0.10000000000000002"],
  ["NaN and infinity", "f = 'NaN'", "f = 'Infinity'"],
  ["the spaces of a json", `j = '{"a":1}'`, `j = '{"a": 1}'`],
  ["the order of a json", `j = '{"a":1,"b":2}'`, `j = '{"b":2,"a":1}'`],
  ["a name twice in a json", `j = '{"a":1,"a":2}'`, `j = '{"a":2}'`],
  ["NULL and JSON's null", "jb = null", "jb = 'null'"],
  ["the scale inside a jsonb", "jb = '[1]'", "jb = '[1.0]'"],
  ["a number and its text in a jsonb", "jb = '[1]'", `jb = '["1"]'`],
  ["NULL and 'NULL' in an array", "tags = '{NULL}'", `tags = '{"NULL"}'`],
  ["no array and an empty one", "tags = null", "tags = '{}'"],
  ["one element and two", "tags = '{\"a,b\"}'", "tags = '{a,b}'"],
  ["NULL and JSON's null in an array", "many = '{NULL}'", "many = array['null'::jsonb]"],
  ["a byte", "raw = '\\x00ff'", "raw = '\\x00fe'"],
  ["true and false", "flag = true", "flag = false"],
  ["a day", "born = '2024-02-29'", "born = '2024-03-01'"],
];

const WIDE = `create table t (id int4 primary key, a text, b text, at timestamptz, n numeric, big int8, f float8, j json,
  jb jsonb, tags text[], many jsonb[], raw bytea, flag bool, born date)`;

describe("digests of different rows", () => {
  let found: Opened;
  let documents: readonly Doc[];
  let pieces: Awaited<ReturnType<RecordDigester["digestPieces"]>>;
  beforeAll(async () => {
    const id = (at: number) => `where id = ${at}`;
    found = await made(`${WIDE}; insert into t (id) select generate_series(0, ${KINDS.length});
      ${KINDS.map(([, before], at) => `update t set ${before} ${id(at)};`).join("\n")}`);
    documents = await documentsOf(found);
    await project.query(KINDS.map(([, , after], at) => `update t set ${after} ${id(at)};`).join("\n"));
    pieces = (await found.digester?.digestPieces({}, documents.length, never)) ?? [];
  });

  it.each(KINDS.map(([what], at) => [what, at] as const))(
    "digests distinguish two rows: %s",
    async (_, at) => {
      const document = documents[at] as Doc;
      expect(hashed(found, [document])?.sha256).not.toBe(pieces[at]?.digest.sha256);
      const [now] = await documentsOf(found, pieces[at]?.range);
      expect(hashed(found, [now as Doc])).toMatchObject({ ...pieces[at]?.digest });
    },
  );

  it("digests are equal for a row that did not change", () => {
    expect(hashed(found, documents.slice(-1))).toMatchObject({ ...pieces.at(-1)?.digest });
  });
});

describe("digests of documents written by an application", () => {
  let found: Opened;
  let own: Doc;
  const other = (document: Document): Doc => rawDoc(serialize(document));
  const whole = {
    _id: 1,
    ...{
      big: new Double(7),
      a: "x",
      n: new Double(1.5),
      at: new Date("2026-01-01T08:00:00Z"),
      must: "y",
      __v: 0,
    },
  };
  beforeAll(async () => {
    found =
      await made(`create table t (id int4 primary key, big int8, a text, n numeric(6, 2), at timestamptz,
      must text not null); insert into t values (1, 7, 'x', 1.5, '2026-01-01 08:00Z', 'y');`);
    own = (await documentsOf(found))[0] as Doc;
  });

  it("hashes an equivalent document like its row, and counts it as equivalent", () => {
    const { equivalent, ...digest } = hashed(found, [own]) ?? {};
    expect(equivalent).toBe(0);
    expect(hashed(found, [other(whole)])).toEqual({ ...digest, equivalent: 1 });
    expect(hashed(found, [other({ ...whole, _id: Long.fromNumber(1) })])).toEqual({
      ...digest,
      equivalent: 1,
    });
  });

  it.each<[string, Document]>([
    ["lacks what must be there", { ...whole, must: undefined }],
    ["has null where none may be", { ...whole, must: null }],
    ["says another key", { ...whole, id: 2 }],
    ["has a number of too many digits", { ...whole, n: new Double(1.505) }],
    ["has text for a number", { ...whole, big: "seven" }],
    ["has another number", { ...whole, big: new Double(8) }],
    [
      "has a stale exact text",
      { ...whole, _ds: { at: "2025-01-01T08:00:00.123456+00:00" }, at: new Date(0) },
    ],
    ["has an array for a text", { ...whole, a: ["x"] }],
  ])("does not hash a document like its row when it %s", async (_, document) => {
    const { sha256 } = (await found.digester?.digest({}, never)) ?? {};
    const made = hashed(found, [other(JSON.parse(JSON.stringify(document), revived) as Document)]);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(made?.sha256).not.toBe(sha256);
    expect(made?.documents).toBe(1);
  });
});

function revived(name: string, value: unknown): unknown {
  return name === "at" && typeof value === "string" && value.endsWith("Z") ? new Date(value) : value;
}

describe("altered dualsync_digest functions", () => {
  const FILLED = `${WIDE}; insert into t (id, a, at) select n, 'a ' || n, now() from generate_series(1, 40) n;`;
  const altered: readonly (readonly [what: string, from: string, to: string])[] = [
    ["hashes something else", "sha256(line)", "sha256('x')"],
    ["leaves out a column", "row_to_json(r)", "(row_to_json(r)::jsonb - 'at')"],
    ["ignores the range", "where %5$s", "where true or %5$s"],
    ["counts otherwise", "count(*) as number", "count(*) + 1 as number"],
    ["cuts otherwise", "ntile(%7$s)", "ntile(greatest(1, %7$s - 1))"],
    ["answers otherwise", "'rows', p.number", "'documents', p.number"],
    ["fails", "coalesce(json_agg", "1 / 0, coalesce(json_agg"],
    ["has another name for an argument", "pieces integer", "parts integer"],
  ];
  it.each(altered)("does not use a dualsync_digest function that %s", async (_, from, to) => {
    const sql = installSql().replace(from, () => to);
    expect(sql).not.toBe(installSql());
    const drop =
      "drop function if exists dualsync_digest(text, text[], text[], text[], text[], text[], integer)";
    const body = to.startsWith("parts") ? sql.replace("greatest(1, pieces)", "greatest(1, parts)") : sql;
    await project.query(`${drop}; ${body}`);
    expect((await made(FILLED)).digester).toBeUndefined();
    await project.query(`${drop}; ${installSql()}`);
    expect((await opened()).digester).toBeDefined();
  });

  it("does not call dualsync_digest altered when rows changed while it was tested", async () => {
    const found = await made(FILLED);
    const busy = project.fail({
      on: "POST /rpc/dualsync_digest",
      before: () => project.query("update t set at = at + interval '1 second'"),
    });
    expect(await found.store.mapping?.digester?.(found.info, never)).toBeUndefined();
    busy.stop();
    expect(busy.hits).toBeGreaterThan(0);
    expect(found.store.exactness.inexact("t")).toEqual([]);
    expect((await opened()).digester).toBeDefined();
  });

  it("reads rows when dualsync_digest is missing or takes too long", async () => {
    const found = await made(FILLED);
    project.settings.statementTimeoutMs = 250;
    const slow = "with hashed as materialized (\n      select pg_sleep(0.05), ";
    await project.query(installSql().replace(/with hashed as materialized \(\s+select /, slow));
    const late = await found.store.mapping?.digester?.(found.info, never);
    project.settings.statementTimeoutMs = undefined;
    await project.query("drop function dualsync_digest");
    const gone = await found.store.mapping?.digester?.(found.info, never);
    await project.query(installSql());
    expect([late, gone]).toEqual([undefined, undefined]);
    expect(await documentsOf(found)).toHaveLength(40);
  });
});

describe("keys of hashed tables", () => {
  it("does not hash a table with a text key, which is not sorted like the ids", async () => {
    const { info, digester } = await made(
      "create table t (code text primary key); insert into t values ('a'), ('B')",
    );
    expect(info.ordered).toBe(false);
    expect(digester).toBeUndefined();
  });

  it("cuts a table with a composite key between rows", async () => {
    const found =
      await made(`create table t (shop int4, flag bool, code uuid, note text, primary key (shop, flag, code));
      insert into t select n % 3, n % 2 = 0, md5(n::text)::uuid, 'n' from generate_series(1, 100) n`);
    const pieces = (await found.digester?.digestPieces({}, 7, never)) ?? [];
    expect(pieces.map(({ digest }) => digest.documents)).toEqual([15, 15, 14, 14, 14, 14, 14]);
    const documents = await documentsOf(found);
    for (const { range, digest } of pieces) {
      const own = documents.splice(0, digest.documents);
      expect(hashed(found, own)).toMatchObject({ ...digest });
      expect(await found.digester?.digest({ range }, never)).toEqual(digest);
    }
    expect(pieces.map(({ range }) => range.from?.key)).toEqual([
      undefined,
      ...pieces.slice(0, -1).map(({ range }) => range.to?.key),
    ]);
  });

  it("does not hash a table whose index is not in the order of its key", async () => {
    const { digester } = await made(
      "create table t (a int4, b int4, primary key (b, a)); insert into t values (1, 2)",
    );
    expect(digester).toBeUndefined();
  });

  it("hashes a table with hostile names, and refuses a range bound that cannot be a key", async () => {
    const found =
      await made(`create table "t'; drop table x --" ("k"";%I%s" int4 primary key, "$q$" text, "a\\b" json);
      insert into "t'; drop table x --" select n, 'n', '{"a":  1}' from generate_series(1, 9) n`);
    expect(await found.digester?.digest({}, never)).toMatchObject({ documents: 9 });
    const [document] = await documentsOf(found);
    const range = { from: other("x").id };
    await expect(found.digester?.digest({ range }, never)).rejects.toMatchObject({
      exit: "refused",
      retryable: false,
    });
    expect(document).toBeDefined();
    function other(id: string): Doc {
      return rawDoc(serialize({ _id: id }));
    }
  });

  it("hashes an empty table like no documents", async () => {
    const found = await made("create table t (id int4 primary key); insert into t values (1)");
    await project.query("delete from t");
    expect(await found.digester?.digest({}, never)).toEqual(hashed(found, []));
    expect(await found.digester?.digestPieces({}, 4, never)).toEqual([]);
    expect((await opened()).digester).toBeUndefined();
  });
});

it("dualsync_digest hashes only rows that its caller may read", async () => {
  await made(`create table t (id int4 primary key, mine bool); insert into t values (1, true), (2, false);
    alter table t enable row level security; create policy own on t for select to limited_service using (mine)`);
  const call = "select dualsync_digest('t', '{id,mine}', '{}', '{id}') as pieces";
  const { rows } = await project.query(`set local role limited_service; ${call}`);
  expect(rows[0]?.pieces).toMatchObject([{ rows: 1 }]);
});
