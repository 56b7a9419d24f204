import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inReferenceOrder } from "../../../../src/connectors/reference-order.ts";
import type { Project } from "../../../../src/connectors/supabase/api/project.ts";
import { ExactText } from "../../../../src/connectors/supabase/api/texts.ts";
import type { Table } from "../../../../src/connectors/supabase/schema/table.ts";
import { withoutParents } from "../../../../src/connectors/supabase/writing/parents.ts";
import type { RowToSend } from "../../../../src/connectors/supabase/writing/row-to-send.ts";
import { Batch } from "../../../../src/model/document.ts";
import { batchOf, doc, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { supabaseTarget } from "../../../support/stores/supabase-target.ts";

const target = supabaseTarget();

beforeAll(() =>
  target.tables(`
    create table countries (id int4 primary key, name text);
    create table people (
      id int4 primary key, country int4 references countries, boss int4 references people, n int4 check (n < 100));
    create table teams (id int4 primary key, name text, lead int4);
    create table members (id int4 primary key, team int4 not null references teams, name text);
    alter table teams add foreign key (lead) references members;
  `),
);
beforeEach(() => target.project.query("truncate countries, people, teams, members"));

const person = (_id: number, boss: number | null, more = {}) => ({ _id, country: null, boss, n: 1, ...more });
const chain = (length: number) => Array.from({ length }, (_, n) => person(n, n + 1 < length ? n + 1 : null));

describe("rows that refer to others", () => {
  it("lists tables with those that must be written before them", async () => {
    const { collections } = await target.store.list(never);
    const { order, cycles } = inReferenceOrder(collections);
    expect(order.map(({ name }) => name).indexOf("countries")).toBeLessThan(
      order.map(({ name }) => name).indexOf("people"),
    );
    expect(collections.find(({ name }) => name === "people")?.after).toEqual(["countries", "people"]);
    expect(cycles.map((cycle) => cycle.map(({ name }) => name).sort())).toEqual([["members", "teams"]]);
  });

  it("writes rows that refer to their own table in any order, beside rejected ones", async () => {
    const rows = [...chain(40), person(50, null, { n: 100 }), person(51, 99), person(52, 51)];
    const { written, rejected } = await target.session.write("people", batchOf(...rows), "insert", never);
    expect(written).toBe(40);
    expect(rejected.map(({ id: { key }, waits }) => [key, waits])).toEqual(
      expect.arrayContaining([
        [id(50).key, undefined],
        [id(51).key, true],
        [id(52).key, true],
      ]),
    );
  });

  it("names the columns of a missing reference, and writes the row once the reference exists", async () => {
    const rows = batchOf(person(1, null, { country: 4 }), person(2, null));
    const { written, rejected } = await target.session.write("people", rows, "insert", never);
    expect(written).toBe(1);
    expect(rejected).toMatchObject([
      {
        waits: true,
        reason: "the row that it refers to is missing: country → countries.id, boss → people.id (23503)",
      },
    ]);
    await target.session.write("countries", batchOf({ _id: 4, name: "x" }), "insert", never);
    const again = await target.session.write("people", rows, "insert", never);
    expect(again).toEqual({ written: 1, unchanged: 1, rejected: [] });
  });

  it("writes rows of batches in the wrong order together afterwards", async () => {
    const rows = chain(90).map(doc);
    const waiting = [];
    for (let from = 0; from < rows.length; from += 30) {
      const batch = Batch.of(rows.slice(from, from + 30));
      const { rejected } = await target.session.write("people", batch, "insert", never);
      const keys = new Set(rejected.filter(({ waits }) => waits).map(({ id: { key } }) => key));
      waiting.push(...batch.docs().filter(({ id: { key } }) => keys.has(key)));
    }
    expect(waiting.length).toBeGreaterThan(30);
    const written = await target.session.relatedWrites.writeTogether(
      new Map([["people", Batch.of(waiting)]]),
      never,
    );
    expect(written.get("people")).toMatchObject({ written: waiting.length, rejected: [] });
    expect(await target.store.count("people", {}, never)).toBe(90);
    expect(await target.rows("select id from people where boss is distinct from nullif(id + 1, 90)")).toEqual(
      [],
    );
  });

  it("writes rows of tables that refer to each other together, and names those with missing references", async () => {
    const teams = batchOf(
      { _id: 1, name: "a", lead: 1 },
      { _id: 2, name: "b", lead: 7 },
      { _id: 3, name: "c", lead: 3 },
      { _id: 9, name: "d", lead: 7 },
    );
    const members = batchOf(
      { _id: 1, team: 1, name: "x" },
      { _id: 2, team: 2, name: "y" },
      { _id: 3, team: 1, name: "z" },
    );
    for (const [name, batch] of [
      ["teams", teams],
      ["members", members],
    ] as const) {
      const { written, rejected } = await target.session.write(name, batch, "insert", never);
      expect({ written, waits: rejected.map(({ waits }) => waits) }).toEqual({
        written: 0,
        waits: batch.docs().map(() => true),
      });
    }
    const together = new Map([
      ["teams", teams],
      ["members", members],
    ]);
    const outcomes = await target.session.relatedWrites.writeTogether(together, never);
    expect(outcomes.get("teams")).toMatchObject({ written: 2 });
    expect(outcomes.get("teams")?.rejected).toMatchObject([
      { id: { key: id(2).key }, waits: true, reason: expect.stringMatching(/its row was kept without/) },
      { id: { key: id(9).key }, waits: true, reason: expect.stringMatching(/missing.*\(23503\)$/) },
    ]);
    expect(await target.rows("select * from teams order by id")).toEqual(["(1,a,1)", "(2,b,)", "(3,c,3)"]);
    expect(await target.rows("select * from members order by id")).toEqual(["(1,1,x)", "(2,2,y)", "(3,1,z)"]);
  });

  it("does not send rows one by one when many of them refer to missing rows", async () => {
    const rows = Array.from({ length: 400 }, (_, n) => person(n, null, { country: n % 2 === 0 ? 4 : 5 }));
    await target.session.write("countries", batchOf({ _id: 4 }), "insert", never);
    const before = target.project.requests.length;
    const { written, rejected } = await target.session.write("people", batchOf(...rows), "insert", never);
    expect({ written, refused: rejected.length }).toEqual({ written: 200, refused: 200 });
    expect(target.project.requests.length - before).toBeLessThan(12);
  });

  it("deletes rows before those that they refer to, and fails when others still refer to them", async () => {
    await target.session.write("people", batchOf(...chain(300)), "insert", never);
    const ids = Array.from({ length: 300 }, (_, n) => id(299 - n));
    expect(await target.session.remove("people", ids, never)).toBe(300);
    await target.session.write("people", batchOf(person(1, null), person(2, 1)), "insert", never);
    await expect(target.session.remove("people", [id(1)], never)).rejects.toMatchObject({
      exit: "target",
      reason: "referred",
      message: expect.stringMatching(/^Other rows of .* refer to rows of people/),
    });
    expect(await target.store.count("people", {}, never)).toBe(2);
  });
});

it("finds all rows whose references are missing even if the server returns only a few rows per request", async () => {
  const there = ["1", "2", "3", "4", "5"];
  const rows = [...there, "6"].map(
    (country): RowToSend => ({
      ...{ doc: doc(person(1, null)), shape: "", text: "" },
      ...{ columns: ["country"], texts: [country] },
    }),
  );
  const table: Table = {
    ...{ name: "people", key: ["id"], writable: true },
    columns: [{ name: "country", type: "int4", nullable: true, hasDefault: false }],
    references: [{ column: "country", table: "countries", to: "id" }],
  };
  const project: Pick<Project, "rows"> = {
    async rows(_, { where: [where] = [] }) {
      const asked = where !== undefined && "in" in where ? where.in : [];
      const given = asked.filter((one) => there.includes(one)).slice(0, 2);
      return new ExactText(Buffer.from(JSON.stringify(given.map((one) => ({ id: Number(one) })))));
    },
  };
  const lost = await withoutParents(project as Project, table, rows, never);
  expect([...lost].map(({ texts }) => texts)).toEqual([["6"]]);
});
