import { beforeEach, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** What a project shows besides tables, with the SQL functions and without. */
const pair = projectPair();
const REMOVE = "drop function if exists dualsync_catalog, dualsync_oid, dualsync_digest, dualsync_setval";

let cwd = "";
beforeEach(async () => {
  cwd = folder();
  await sql(`${REMOVE};
    drop materialized view if exists totals, none, unfilled;
    create table orders (id int4 primary key, total int4); insert into orders values (1, 10), (2, 20);
    create view large as select * from orders where total > 15;
    create view without_key as select total from orders;
    create view joined as select a.id, b.total from orders a join orders b using (id);`);
});

async function sql(text: string): Promise<void> {
  await pair.project.query(text);
  await pair.project.reload();
}

/** What the plan says that is not copied. */
async function planned(): Promise<{ readonly code: number | null; readonly notCopied: readonly string[] }> {
  const { code, stdout } = await pair.run(["backfill", "--dry-run"], cwd);
  const [, list = ""] = /^Not copied:\n((?: +\S.*\n)*)/m.exec(stdout) ?? [];
  return { code, notCopied: [...list.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => String(name)) };
}

async function backfill(...flags: string[]) {
  const { code, stdout } = await pair.run(["backfill", "--json", ...flags], cwd);
  const lost = records(stdout).filter(({ type }) => type === "item");
  return { code, lost: lost.map(({ key, reason }) => `${key}: ${reason}`) };
}

async function diff(...flags: string[]) {
  const { code, stdout } = await pair.run(["diff", "--json", ...flags], cwd);
  const found = records(stdout).filter(({ type }) => type === "diff");
  return { code, found: found.map(({ kind, key }) => `${kind} ${key}`) };
}

const WITH_AND_WITHOUT = [
  ["without the SQL functions", ""],
  ["with the SQL functions", installSql()],
] as const;

it.each(WITH_AND_WITHOUT)(
  "views are not copied, whether they take rows and show a key or not, %s",
  async (_, functions) => {
    await sql(functions);
    for (let run = 0; run < 2; run++) {
      expect(await planned()).toEqual({ code: 0, notCopied: ["joined", "large", "without_key"] });
      expect(await backfill()).toEqual({ code: 0, lost: [] });
      expect(await diff()).toEqual({ code: 0, found: [] });
    }
    const names = (await pair.to.db(pair.database).listCollections().toArray()).map(({ name }) => name);
    expect(names.sort()).toEqual(["_dualsync", "orders"]);
  },
);

it.each(WITH_AND_WITHOUT)(
  "a materialized view that holds rows is a loss, and one that holds none is not, %s",
  async (_, functions) => {
    await sql(`${functions};
      create materialized view totals as select sum(total) as total from orders;
      create materialized view none as select * from orders where false;
      create materialized view unfilled as select * from orders with no data;
      grant all on totals, none, unfilled to service_role`);
    const views = ["joined", "large", "none", "totals", "unfilled", "without_key"];
    const lost = [expect.stringMatching(/^collection totals: it takes no rows.*are not copied/)];
    expect(await planned()).toEqual({ code: 3, notCopied: views });
    expect(await backfill()).toEqual({ code: 3, lost });
    expect(await diff()).toEqual({ code: 12, found: ["unreadable collection totals"] });
    const accept = ["--accept", "collection totals"];
    expect((await backfill(...accept)).code).toBe(0);
    expect((await diff(...accept)).code).toBe(0);
    await pair.project.query("drop materialized view totals, none, unfilled");
  },
);

it("a foreign table that only gives rows is a loss where it holds some", async () => {
  await sql(`create extension if not exists file_fdw; create server if not exists files foreign data wrapper file_fdw;
    create foreign table lines (line text) server files options (filename '/etc/hostname');
    grant all on lines to service_role; grant pg_read_server_files to service_role`);
  try {
    const { code, lost } = await backfill();
    expect([code, lost]).toEqual([3, [expect.stringMatching(/^collection lines: it takes no rows/)]]);
  } finally {
    await pair.project.query("drop foreign table lines");
  }
});

it("a view that was copied when it was a table is named by backfill and diff until its copy is dropped or accepted", async () => {
  await sql("create table names (id int4 primary key); insert into names values (1)");
  expect((await backfill()).code).toBe(0);
  await sql("alter table names rename to names_2; create view names as select * from names_2");
  for (const functions of ["", installSql()]) {
    await sql(functions);
    const { code, lost } = await backfill();
    expect([code, lost]).toEqual([
      3,
      [
        "collection names: a view, which shows rows of tables; it was copied before, and that copy stays as it is: drop it, or keep it and add --accept",
      ],
    ]);
    expect(await diff()).toEqual({ code: 12, found: ["unreadable collection names"] });
    const accept = ["--accept", "collection names"];
    expect([(await backfill(...accept)).code, (await diff(...accept)).code]).toEqual([0, 0]);
  }
  expect(await pair.to.db(pair.database).collection("names_2").countDocuments()).toBe(1);
  await pair.to.db(pair.database).collection("names").drop();
  expect([(await backfill()).code, (await diff()).code]).toEqual([0, 0]);
});

it("a collection of an application that has the name of a view is not taken for its copy", async () => {
  await pair.to.db(pair.database).collection("large").insertOne({ of: "somebody else" });
  expect(await backfill()).toEqual({ code: 0, lost: [] });
  expect(await diff()).toEqual({ code: 0, found: [] });
});
