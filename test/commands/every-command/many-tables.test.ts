import { join } from "node:path";
import { expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** The description of a project lists all tables: what asks for it once for each of them costs the square of their number. */
const pair = projectPair();

async function createTables(count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, n) => `t${n}`);
  await pair.project.query(
    names
      .map(
        (name) => `create table ${name} (id int4 primary key, v text); insert into ${name} values (1, 'a');`,
      )
      .join("\n"),
  );
  await pair.project.reload();
}

/** Descriptions, and other answers that grow with the number of tables, which the project gave out meanwhile. */
async function descriptionsOf(work: () => Promise<unknown>): Promise<number> {
  const { requests } = pair.project;
  const before = requests.length;
  await work();
  return requests.slice(before).filter(({ path }) => path === "/" || path === "/rpc/dualsync_catalog").length;
}

/** How many each command asked for, with so many tables. */
async function descriptionsWith(count: number): Promise<Readonly<Record<string, number>>> {
  const cwd = folder();
  const plan = join(cwd, "repair.plan");
  const run = async (expected: number, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await pair.run(args, cwd);
    expect(code, stdout + stderr).toBe(expected);
  };
  await createTables(count);
  const copy = pair.to.db(pair.database);
  const backfill = await descriptionsOf(() => run(0, "backfill"));
  const diff = await descriptionsOf(() => run(0, "diff"));
  for (let n = 0; n < count; n++) {
    await copy.collection(`t${n}`).deleteMany({});
    await copy.collection<{ _id: number }>(`t${n}`).insertOne({ _id: 2 });
  }
  await run(1, "diff", "--plan", plan);
  const repair = await descriptionsOf(() => run(0, "repair", plan, "--delete", "--allow-shrink", "--yes"));
  for (let n = 0; n < count; n++) {
    expect(await copy.collection(`t${n}`).find().toArray()).toEqual([{ _id: 1, v: "a" }]);
    await copy.collection<{ _id: number }>(`t${n}`).insertOne({ _id: 3 });
  }
  const removal = await descriptionsOf(() => run(0, "backfill", "--delete", "--allow-shrink", "--yes"));
  await copy.dropDatabase();
  return { backfill, diff, repair, removal };
}

it.each([
  ["without the SQL functions", ""],
  ["with the SQL functions", installSql()],
])(
  "backfill, diff and repair ask for the description of a project as often with many tables as with few, %s",
  { timeout: 120_000 },
  async (_, functions) => {
    await pair.project.query(functions);
    const few = await descriptionsWith(1);
    await pair.project.query("drop table t0");
    expect(await descriptionsWith(4)).toEqual(few);
  },
);
