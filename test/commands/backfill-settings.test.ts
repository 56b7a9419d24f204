import type { Document } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { installSql } from "../../src/connectors/supabase/sql/sql.ts";
import { projectPair } from "../support/project-pair.ts";
import { setSession } from "../support/session-settings.ts";

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

describe("where the project's role sets extra_float_digits to 0", () => {
  it("three numbers that arrive as one are named, and never called equal", async () => {
    await project(
      `create table t (id int primary key, v float8);
       insert into t values (1, 1234567890123451), (2, 1234567890123452), (3, 1234567890123453)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("of several columns those are named whose numbers arrive rounded, and no others", async () => {
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

  it("numbers that are short enough are copied, for the server says that they are what it printed", async () => {
    await project(
      `create table t (id int primary key, v float8, w float4[]);
       insert into t select n, n / 8.0, array[n / 4.0, null] from generate_series(1, 2500) n`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
    await project("update t set v = 0.30000000000000004 where id = 2222", ROUNDING);
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("a number that is rounded beyond the largest is named", async () => {
    await project(
      "create table t (id int primary key, v float8); insert into t values (1, 1.7976931348623157e308)",
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v"));
  });

  it("a table whose key arrives rounded is named, for its rows could not be told apart", async () => {
    await project(
      `create table t (k float8 primary key); insert into t values (1234567890123456), (7.5);
       create table u (a int, b float4, primary key (a, b)); insert into u values (1, 1234567), (1, 2), (2, 1)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("collection t", "collection u"));
  });

  it("a table whose keys arrive as one is named, and the others are copied", async () => {
    await project(
      `create table t (k float8 primary key);
       insert into t values (1234567890123451), (1234567890123452), (1234567890123453);
       create table other (id int primary key); insert into other values (1)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("collection t"));
    expect(await held("other")).toEqual([{ _id: 1 }]);
  });

  it("a number inside a composite is named, and a point is", async () => {
    await project(
      `create schema own; grant usage on schema own to public; create type own.spot as (name text, height float8);
       create table t (id int primary key, spot own.spot, place point, plain own.spot, v float8);
       insert into t values (1, '("a 1",1234567890123451)', '(1,2)', null, 0.1), (2, null, null, null, 0.30000000000000004)`,
      ROUNDING,
    );
    expect(await copiedAndCompared()).toEqual(both("column t.v", "column t.place", "column t.spot"));
  });

  it("the project that tells its settings is believed: every such column is named, none is asked about", async () => {
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

describe("where the project's role sets nothing", () => {
  it("short numbers are copied, and long ones show that nothing needs to be asked", async () => {
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

  it("a number that changes while the project is asked about it is no reason to name its column", async () => {
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

  it("a run that reads only what was changed asks about those rows alone", async () => {
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

  it("a point is named where nothing shows how many digits are printed, and copied where a large id does", async () => {
    await project("create table t (id int primary key, p point); insert into t values (1, '(1,2.5)')");
    expect(await copiedAndCompared()).toEqual(both("column t.p"));
    await project("create table u (id int primary key); insert into u values (1234567)");
    expect(await copiedAndCompared()).toEqual(EXACT);
  });

  it("a point is copied where the project tells its settings", async () => {
    await project(
      `${installSql()}; create table t (id int primary key, p point); insert into t values (1, '(1,2.5)')`,
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
  });
});

describe("texts that mean something else under other settings are named", () => {
  const RANGES = `create table t (id int primary key, days daterange, times tstzmultirange, numbers int4range, at timestamptz);
    insert into t values (1, '[2024-02-01,2024-03-04)', '{[2024-02-01,2024-03-04)}', '[1,5)', '2024-02-01')`;
  it.each(["SQL, DMY", "German", "Postgres, MDY"])(
    "ranges of days and times under DateStyle %s",
    async (datestyle) => {
      await project(RANGES, { datestyle });
      expect(await copiedAndCompared()).toEqual(both("column t.days", "column t.times"));
    },
  );

  it.each([["ISO, DMY"], ["ISO, YMD"]])("and not under DateStyle %s", async (datestyle) => {
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
    "intervals under IntervalStyle sql_standard, and not under others: %s",
    async (intervalstyle, expected) => {
      await project(INTERVALS, { intervalstyle });
      expect(await copiedAndCompared()).toEqual(expected);
    },
  );

  it("composites with times, where a time of any table shows another DateStyle", async () => {
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

it("a bytea is copied exactly, whatever bytea_output says", async () => {
  await project(
    String.raw`create table t (id int primary key, v bytea, w bytea[]);
     insert into t values (1, '\x00ff5c', array['\x41', '\x7f00']::bytea[]), (2, '\x', null)`,
    { bytea_output: "escape" },
  );
  expect(await copiedAndCompared()).toEqual(EXACT);
  const [first] = await held("t");
  expect(first?.v.buffer.toString("hex")).toBe("00ff5c");
  expect(first?.w[1].buffer.toString("hex")).toBe("7f00");
  await setSession(pair.project, {});
  expect((await pair.run(["diff"])).code).toBe(0);
});

describe("a digest function that computes something else than what is read", () => {
  const ALONE = `${installSql()}; drop function public.dualsync_catalog();`;

  it("is a reason not to call its table identical", async () => {
    const altered = ALONE.replace("row_to_json(r)::text", "replace(row_to_json(r)::text, 'a', 'b')");
    expect(altered).not.toBe(ALONE);
    await project(
      `${altered} create table t (id int primary key, name text, f float8); insert into t values (1, 'a', 0.5);
       create table u (id int primary key, v int); insert into u values (1, 2)`,
    );
    const { diff } = await copiedAndCompared();
    expect(diff).toEqual([12, "collection t"]);
    await project(ALONE);
    expect((await pair.run(["diff"])).code).toBe(0);
  });

  it("names the column whose text changes with the project's settings", async () => {
    await project(
      `${ALONE} create schema own; grant usage on schema own to public;
       create type own.visit as (name text, at date);
       create table t (id int primary key, visit own.visit, name text); insert into t values (1, '(a,2024-02-01)', 'a')`,
      { datestyle: "German" },
    );
    const { diff } = await copiedAndCompared();
    expect(diff).toEqual([12, "column t.visit"]);
  });

  it("is no reason where intervals are only written in another way, or floating-point numbers in full", async () => {
    await project(
      `${ALONE} create table t (id int primary key, v interval, b bytea, f float4, r int4range);
       insert into t values (1, '1 day 02:00', 'a', 1.2621775e-29, '[1,2)')`,
      { intervalstyle: "iso_8601", bytea_output: "escape", extra_float_digits: "3" },
    );
    expect(await copiedAndCompared()).toEqual(EXACT);
  });
});

describe("a type with a cast to text that changes its values", () => {
  it("is named", async () => {
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
