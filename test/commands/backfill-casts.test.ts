import { type Document, Long } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { projectPair } from "../support/project-pair.ts";

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

describe("a type with a cast to json that changes its values", () => {
  it("is read as what it holds", async () => {
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

  it("is a key like any other", async () => {
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
