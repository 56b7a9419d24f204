import type { Document } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { projectPair } from "../../support/stores/project-pair.ts";
import { setSession } from "../../support/stores/session-settings.ts";

/** A project whose role sets what its connections print. */
const pair = projectPair();

const held = (name: string): Promise<Document[]> =>
  pair.to.db(pair.database).collection(name).find().sort({ _id: 1 }).toArray();

async function project(statements: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await pair.project.query(statements);
  await setSession(pair.project, settings);
  await pair.project.reload();
}

/** Copies and compares: both exit codes, and what of the project each of them named. */
async function copiedAndCompared(): Promise<
  Record<"backfill" | "diff", readonly [number | null, ...string[]]>
> {
  const named = ({ code, stdout }: { readonly code: number | null; readonly stdout: string }) => {
    const keys = [...stdout.matchAll(/^(?:! | {2})((?:column|collection) \S+?)(?:: | {2})/gm)].map(
      ([, key]) => key ?? "",
    );
    return [code, ...[...new Set(keys)].sort()] as const;
  };
  const copied = await pair.run(["backfill"]);
  const compared = await pair.run(["diff"]);
  if (process.env.SHOW)
    process.stderr.write(`${copied.stdout}${copied.stderr}${compared.stdout}${compared.stderr}\n`);
  return { backfill: named(copied), diff: named(compared) };
}

afterEach(async () => {
  await setSession(pair.project, {});
  await pair.project.query(
    "drop function if exists public.dualsync_catalog(), public.dualsync_digest(text, text[], text[], text[], text[], text[], integer)",
  );
  await pair.project.query("drop schema own cascade").catch(() => undefined);
});

/** Numbers of more digits than are printed. */
const ROUNDING = { extra_float_digits: "0" };

/** What is named is named by both, and nothing is called equal. */
const both = (...keys: string[]) => {
  const sorted = keys.toSorted();
  return { backfill: [3, ...sorted], diff: [12, ...sorted] };
};
const EXACT = { backfill: [0], diff: [0] };

const asked = (what: RegExp): number =>
  pair.project.requests.filter(({ target }) => what.test(target)).length;

describe("project whose role sets extra_float_digits to 0", () => {
  it("names a column in which three numbers arrive as one, and never calls it equal", async () => {
    await project(
      `create table t (id int primary key, v float8);
       insert into t values (1, 1234567890123451), (2, 1234567890123452), (3, 1234567890123453)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("names exactly the columns whose numbers arrive rounded", async () => {
    await project(
      `create table t (id int primary key, a float4, b float8, c float4[], d float8[], e float8, f float4);
       insert into t values
         (1, 1234567, 0.1, '{1.5}', '{{1,NULL},{0.1,NaN}}', 2.5, -0.25),
         (2, 1, 0.1, '{1.5,16777217,1.1754944e-38}', null, '-0', 'Infinity'),
         (3, 1, 0.3, null, '{0.30000000000000004}', null, null)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.a", "column t.c", "column t.d"));
  });

  it("copies numbers that are short enough, which the server confirms to be all that it printed", async () => {
    await project(
      `create table t (id int primary key, v float8, w float4[]);
       insert into t select n, n / 8.0, array[n / 4.0, null] from generate_series(1, 2500) n`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
    await project("update t set v = 0.30000000000000004 where id = 2222", ROUNDING);
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("names a column with a number that is rounded beyond the largest one", async () => {
    await project(
      "create table t (id int primary key, v float8); insert into t values (1, 1.7976931348623157e308)",
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("names a table whose key arrives rounded", async () => {
    await project(
      `create table t (k float8 primary key); insert into t values (1234567890123456), (7.5);
       create table u (a int, b float4, primary key (a, b)); insert into u values (1, 1234567), (1, 2), (2, 1)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("collection t", "collection u"));
  });

  it("names a table whose keys arrive as one, and copies the others", async () => {
    await project(
      `create table t (k float8 primary key);
       insert into t values (1234567890123451), (1234567890123452), (1234567890123453);
       create table other (id int primary key); insert into other values (1)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("collection t"));
    expect(await held("other")).toEqual([{ _id: 1 }]);
  });

  it("names a column of composites with a rounded number, and a column of points", async () => {
    await project(
      `create schema own; grant usage on schema own to public; create type own.spot as (name text, height float8);
       create table t (id int primary key, spot own.spot, place point, plain own.spot, v float8);
       insert into t values (1, '("a 1",1234567890123451)', '(1,2)', null, 0.1), (2, null, null, null, 0.30000000000000004)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v", "column t.place", "column t.spot"));
  });

  it("names every column of floating-point numbers without extra requests when the project reports its settings", async () => {
    await project(
      `${installSql()}; create table t (id int primary key, v float8, w point, n numeric);
       insert into t values (1, 0.5, '(1,2)', 0.1)`,
      ROUNDING,
    );
    const before = asked(/not\.in/);
    expect(await copiedAndCompared()).toEqual(both("column t.v", "column t.w"));
    expect(asked(/not\.in/)).toBe(before);
  });
});

describe("project whose role sets nothing", () => {
  it("copies short numbers after asking the server, and asks nothing once a long number shows the setting", async () => {
    await project(
      `create table t (id int primary key, v float8, w float4);
       insert into t values (1, 12.5, 0.25), (2, -1, null)`,
    );
    const before = asked(/not\.in/);
    expect(await copiedAndCompared()).toEqual(EXACT);
    expect(asked(/not\.in/)).toBeGreaterThan(before);
    await project("insert into t values (3, 0.30000000000000004, 1)");
    const between = asked(/not\.in/);
    expect(await copiedAndCompared()).toEqual(EXACT);
    expect(asked(/not\.in/)).toBe(between);
  });

  it("does not name a column because a number changes while the project is asked about it", async () => {
    await project(
      `create table t (id int primary key, v float8); insert into t select n, n / 4.0 from generate_series(1, 1500) n`,
    );
    let times = 0;
    const busy = pair.fail({
      on: ({ target }) => /not\.in/.test(target),
      times: 3,
      before: () => pair.project.query(`update t set v = v + 10000 where id <= ${10 * ++times}`),
    });
    const { code, stdout } = await pair.run(["backfill"]);
    expect(busy.hits).toBe(3);
    expect([code, stdout]).toEqual([0, expect.not.stringMatching(/column t/)]);
  });

  it("asks only about the changed rows in a run with --since", async () => {
    await project(
      `create table t (id int primary key, v float8, updated_at timestamptz);
       insert into t select n, n / 4.0, '2024-01-01' from generate_series(1, 3000) n`,
    );
    expect((await pair.run(["backfill"])).code).toBe(0);
    await project("update t set v = v + 10000, updated_at = now() where id in (1, 1500, 3000)");
    const before = asked(/not\.in/);
    const { code, stdout } = await pair.run(["backfill", "--since", "2025-01-01T00:00:00Z"]);
    expect(code, stdout).toBe(0);
    expect(asked(/not\.in/) - before).toBeLessThan(5);
    expect(stdout).toMatch(/3 documents written/);
  });

  it("names a point unless a large id shows how many digits are printed", async () => {
    await project("create table t (id int primary key, p point); insert into t values (1, '(1,2.5)')");
    expect(await copiedAndCompared()).toEqual(both("column t.p"));
    await project("create table u (id int primary key); insert into u values (1234567)");
    expect(await copiedAndCompared()).toEqual(EXACT);
  });

  it("copies a point when the project reports its settings", async () => {
    await project(
      `${installSql()}; create table t (id int primary key, p point); insert into t values (1, '(1,2.5)')`,
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
  });
});

describe("texts that depend on settings", () => {
  const RANGES = `create table t (id int primary key, days daterange, times tstzmultirange, numbers int4range, at timestamptz);
    insert into t values (1, '[2024-02-01,2024-03-04)', '{[2024-02-01,2024-03-04)}', '[1,5)', '2024-02-01')`;
  it.each(["SQL, DMY", "German", "Postgres, MDY"])(
    "names ranges of days and times under DateStyle %s",
    async (datestyle) => {
      await project(RANGES, { datestyle });
      expect(await copiedAndCompared()).toEqual(both("column t.days", "column t.times"));
    },
  );

  it.each([["ISO, DMY"], ["ISO, YMD"]])("copies ranges of days under DateStyle %s", async (datestyle) => {
    await project(RANGES, { datestyle, timezone: "Asia/Kolkata" });
    expect(await copiedAndCompared()).toEqual(EXACT);
  });

  const INTERVALS = `create table t (id int primary key, v interval, w interval[]);
    insert into t values (1, '-1 day -02:03:04', '{1 year}'), (2, '1 year 2 mons -3 days', '{00:00:00}')`;
  it.each([
    ["sql_standard", both("column t.v", "column t.w")],
    ["postgres", EXACT],
    ["postgres_verbose", EXACT],
    ["iso_8601", EXACT],
  ])(
    "names intervals under IntervalStyle sql_standard, and copies them under others: %s",
    async (intervalstyle, expected) => {
      await project(INTERVALS, { intervalstyle });
      expect(await copiedAndCompared()).toEqual(expected);
    },
  );

  it("names composites with times when a time of any table shows another DateStyle", async () => {
    await project(
      `create schema own; grant usage on schema own to public; create type own.visit as (name text, at date);
       create table t (id int primary key, visit own.visit);
       insert into t values (1, '(a,2024-02-01)');
       create table u (id int primary key, at timestamp); insert into u values (1, null), (2, '2024-02-01')`,
      { datestyle: "SQL, DMY" },
    );
    expect(await copiedAndCompared()).toEqual(both("column t.visit"));
    await setSession(pair.project, {});
    expect((await pair.run(["backfill"])).code).toBe(0);
  });
});

it("backfill copies a bytea exactly, in a key, too, whatever bytea_output is", async () => {
  await project(
    String.raw`create table t (id int primary key, v bytea, w bytea[]);
     insert into t values (1, '\x00ff5c', array['\x41', '\x7f00']::bytea[]), (2, '\x', null);
     create table keys (id bytea primary key); insert into keys values ('\x5c78'), ('\x'), ('\x5c303031')`,
    { bytea_output: "escape" },
  );
  expect(await copiedAndCompared()).toEqual(EXACT);
  const [first] = await held("t");
  expect(first?.v.buffer.toString("hex")).toBe("00ff5c");
  expect(first?.w[1].buffer.toString("hex")).toBe("7f00");
  const keys = (await held("keys")).map(({ _id }) => _id.buffer.toString("hex"));
  expect(keys).toEqual(["", "5c78", "5c303031"]);
  await setSession(pair.project, {});
  expect((await pair.run(["diff"])).code).toBe(0);
});

describe("digest function that hashes something other than the rows", () => {
  const ALONE = `${installSql()}; drop function public.dualsync_catalog();`;
  /** Rows that make a table too large to be read at once rather than hashed. */
  const padded = (values: string): string =>
    `select n, ${values}, repeat('x', 1500) from generate_series(1, 200) n`;

  it("does not call a table identical when the digest function hashes something else", async () => {
    const altered = ALONE.replace("row_to_json(r)::text", "replace(row_to_json(r)::text, 'a', 'b')");
    expect(altered).not.toBe(ALONE);
    await project(
      `${altered} create table t (id int primary key, name text, f float8, pad text); insert into t ${padded("'a', 0.5")};
       create table u (id int primary key, v int); insert into u values (1, 2)`,
    );
    const { diff } = await copiedAndCompared();
    expect(diff).toEqual([12, "collection t"]);
    await project(ALONE);
    expect((await pair.run(["diff"])).code).toBe(0);
  });

  it("names the column whose text changes with the project's settings when the digests differ", async () => {
    await project(
      `${ALONE} create schema own; grant usage on schema own to public;
       create type own.visit as (name text, at date);
       create table t (id int primary key, visit own.visit, pad text);
       insert into t ${padded("'(a,2024-02-01)'::own.visit")}`,
      { datestyle: "German" },
    );
    const { diff } = await copiedAndCompared();
    expect(diff).toEqual([12, "column t.visit"]);
  });

  it("accepts other digests when only the style of intervals or the digits of floating-point numbers differ", async () => {
    await project(
      `${ALONE} create table t (id int primary key, v interval, b bytea, f float4, r int4range, pad text);
       insert into t ${padded("interval '1 day 02:00', 'a'::bytea, 1.2621775e-29, int4range(1, 2)")}`,
      { intervalstyle: "iso_8601", bytea_output: "escape", extra_float_digits: "3" },
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
  });
});

describe("type with a cast to text that changes its values", () => {
  it("names a column whose cast to text changes its values", async () => {
    await project(`
      create schema own; grant usage on schema own to public;
      create type own.dir as enum ('n', 'N', 's');
      create function own.lower_text(own.dir) returns text language sql immutable as
        $$ select case $1 when 'N'::own.dir then 'n' when 'n'::own.dir then 'n' else 's' end $$;
      create cast (own.dir as text) with function own.lower_text(own.dir);
      create table t (id int primary key, dir own.dir, same own.dir);
      insert into t values (1, 'n', 's'), (2, 'N', 's')`);
    expect(await copiedAndCompared()).toEqual(both("column t.dir"));
  });
});
