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

/** What the project was asked for meanwhile. */
interface Asked {
  /** Descriptions, and other answers that grow with the number of tables. */
  readonly descriptions: number;
  readonly others: number;
}

async function askedBy(work: () => Promise<unknown>): Promise<Asked> {
  const { requests } = pair.project;
  const before = requests.length;
  await work();
  const asked = requests.slice(before);
  const isDescription = (path: string): boolean => path === "/" || path === "/rpc/dualsync_catalog";
  const descriptions = asked.filter(({ path }) => isDescription(path)).length;
  return { descriptions, others: asked.length - descriptions };
}

/** By the command, with so many tables. */
async function askedWith(count: number): Promise<Readonly<Record<string, Asked>>> {
  const cwd = folder();
  const plan = join(cwd, "repair.plan");
  const run = async (expected: number, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await pair.run(args, cwd);
    expect(code, stdout + stderr).toBe(expected);
  };
  await createTables(count);
  const copy = pair.to.db(pair.database);
  const backfill = await askedBy(() => run(0, "backfill"));
  const diff = await askedBy(() => run(0, "diff"));
  for (let n = 0; n < count; n++) {
    await copy.collection(`t${n}`).deleteMany({});
    await copy.collection<{ _id: number }>(`t${n}`).insertOne({ _id: 2 });
  }
  await run(1, "diff", "--plan", plan);
  const repair = await askedBy(() => run(0, "repair", plan, "--delete", "--allow-shrink", "--yes"));
  for (let n = 0; n < count; n++) {
    expect(await copy.collection(`t${n}`).find().toArray()).toEqual([{ _id: 1, v: "a" }]);
    await copy.collection<{ _id: number }>(`t${n}`).insertOne({ _id: 3 });
  }
  const removal = await askedBy(() => run(0, "backfill", "--delete", "--allow-shrink", "--yes"));
  await copy.dropDatabase();
  return { backfill, diff, repair, removal };
}

it.each([
  // For one more table of one row: looked at, read to its end, and asked whether it is still there.
  ["without the SQL functions", "", 5],
  ["with the SQL functions", installSql(), 6],
])(
  "backfill, diff and repair ask for the description of a project as often with many tables as with few, %s",
  { timeout: 120_000 },
  async (_, functions, requestsEach) => {
    await pair.project.query(functions);
    const few = await askedWith(1);
    await pair.project.query("drop table t0");
    const many = await askedWith(4);
    for (const [command, { descriptions, others }] of Object.entries(many)) {
      expect(descriptions, command).toBe(few[command]?.descriptions);
      const each = (others - (few[command]?.others ?? 0)) / 3;
      if (command === "backfill" || command === "diff")
        expect(each, command).toBeLessThanOrEqual(requestsEach);
    }
  },
);
