import { type Document, Long } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { CATALOG_SQL } from "../../../src/connectors/supabase/sql/sql-catalog.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A project whose types bring their own casts. */
const pair = projectPair();

const held = (name: string): Promise<Document[]> =>
  pair.to.db(pair.database).collection(name).find({}, { promoteValues: false }).sort({ _id: 1 }).toArray();

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

afterEach(async () => {
  await pair.project.query("drop schema own cascade").catch(() => undefined);
});

/** Types of a schema of their own, which goes with the test. */
const TYPES = `
  create schema own;
  grant usage on schema own to public;
  create type own.dir as enum ('n', 'N', 's,"w"');
  create function own.lower_json(own.dir) returns json language sql immutable as
    $$ select to_json(lower($1::text)) $$;
  create cast (own.dir as json) with function own.lower_json(own.dir);
  create type own.span as (length int8, way own.dir);
  create domain own.way as own.dir;`;

describe("types with a cast to json that changes their values", () => {
  it("copies the stored values of a type whose cast to json changes them", async () => {
    await sql(`${TYPES}
      create table t (id int primary key, dir own.dir, way own.way, dirs own.dir[], span own.span, spans own.span[]);
      insert into t values
        (1, 'n', 'n', '{n,N}', '(1,n)', '{"(1,n)"}'),
        (2, 'N', 'N', '{NULL,"s,\\"w\\""}', '(9007199254740993,N)', null),
        (3, null, null, '[0:1]={n,N}', '(,)', '{}'),
        (4, null, null, '{{n,N},{N,n}}', null, null)`);
    const { code, stdout } = await pair.run(["backfill"]);
    expect(code, stdout).toBe(0);
    const [first, second, third, fourth] = await held("t");
    expect(first).toMatchObject({ dir: "n", way: "n", dirs: ["n", "N"], span: "(1,n)", spans: ["(1,n)"] });
    expect(second).toMatchObject({
      ...{ dir: "N", way: "N", dirs: [null, 's,"w"'], span: "(9007199254740993,N)", spans: null },
    });
    expect(third).toMatchObject({ dirs: ["n", "N"], span: "(,)", spans: [], _ds: { dirs: "[0:1]={n,N}" } });
    expect(fourth).toMatchObject({
      dirs: [
        ["n", "N"],
        ["N", "n"],
      ],
    });
    expect(fourth).not.toHaveProperty("_ds");
    const compared = await pair.run(["diff"]);
    expect(compared.code, compared.stdout).toBe(0);
    await sql("update t set dir = 'N' where id = 1");
    expect((await pair.run(["diff"])).stdout).toMatch(/t\/1 .*dir/);
  });

  it("copies keys of a type whose cast to json changes its values", async () => {
    await sql(`${TYPES}
      create table t (dir own.dir primary key, note int8);
      insert into t values ('n', 1), ('N', 2)`);
    const { code, stdout } = await pair.run(["backfill"]);
    expect(code, stdout).toBe(0);
    expect(await held("t")).toEqual([
      { _id: "N", dir: "N", note: Long.fromNumber(2) },
      { _id: "n", dir: "n", note: Long.fromNumber(1) },
    ]);
    await sql("update t set note = 3 where dir = 'N'");
    const compared = await pair.run(["diff"]);
    expect(compared.code, compared.stdout).toBe(1);
    expect(compared.stdout).toMatch(/Different: 1 changed/);
  });
});

describe("types with a cast to text that changes their values", () => {
  const lowerText = (type: string) => `
    create function own.lower_text(${type}) returns text language sql immutable as
      $$ select lower(own.label($1)) $$;
    create cast (${type} as text) with function own.lower_text(${type});`;
  const LABEL = `
    create function own.label(own.dir) returns text language sql immutable as
      $$ select (enum_out($1))::text $$;`;
  const lies = async (key: string): Promise<void> => {
    const copied = await pair.run(["backfill"]);
    expect(copied.code, copied.stdout).toBe(3);
    expect(copied.stdout).toContain(key);
    const compared = await pair.run(["diff"]);
    expect(compared.code, compared.stdout).toBe(12);
    expect(compared.stdout).toContain(key);
  };

  it("names a column whose cast to text changes one of many rows, with and without digests", async () => {
    await sql(`${TYPES}${LABEL}${lowerText("own.dir")}
      create table t (id int primary key, dir own.dir);
      insert into t select id, case id when 1500 then 'N'::own.dir else 'n' end from generate_series(1, 3000) id`);
    await lies("column t.dir");
    await sql(installSql());
    try {
      await lies("column t.dir");
    } finally {
      await sql(
        "drop function public.dualsync_catalog, public.dualsync_digest(text, text[], text[], text[], text[], text[], integer)",
      );
    }
  });

  it("names a column of a domain of an enum, whose values cannot be compared", async () => {
    await sql(`${TYPES}${LABEL}${lowerText("own.dir")}
      create table t (id int primary key, way own.way);
      insert into t select id, 'n' from generate_series(1, 30) id;
      insert into t values (31, 'N')`);
    await lies("column t.way");
  });

  it("names a column whose cast to text turns a value into null", async () => {
    await sql(`${TYPES}
      create function own.no_text(own.dir) returns text language sql immutable as
        $$ select case when $1 <> 'N' then 'n' end $$;
      create cast (own.dir as text) with function own.no_text(own.dir);
      create table t (id int primary key, dir own.dir);
      insert into t select id, 'n' from generate_series(1, 30) id;
      insert into t values (31, 'N')`);
    await lies("column t.dir");
  });

  it("names a composite column whose cast to text changes its values", async () => {
    await sql(`${TYPES}
      create function own.lower_text(own.span) returns text language sql immutable as
        $$ select lower(record_out($1)::text) $$;
      create cast (own.span as text) with function own.lower_text(own.span);
      create table t (id int primary key, span own.span);
      insert into t select id, '(1,n)' from generate_series(1, 30) id;
      insert into t values (31, '(1,N)')`);
    await lies("column t.span");
  });

  it("makes no extra requests when the project's functions show that there is no such cast", async () => {
    await sql(`${TYPES}
      create table t (id int primary key, dir own.dir);
      insert into t select id, 'n' from generate_series(1, 30) id`);
    const asked = (): number =>
      pair.project.requests.filter(({ target }) => /dir=not\.in/.test(target)).length;
    expect((await pair.run(["backfill"])).code).toBe(0);
    const before = asked();
    expect(before).toBeGreaterThan(0);
    await sql(CATALOG_SQL);
    try {
      expect((await pair.run(["diff"])).code).toBe(0);
      expect(asked()).toBe(before);
    } finally {
      await sql("drop function public.dualsync_catalog");
    }
  });
});
