import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WriteOutcome } from "../../../../src/connectors/write-outcome.ts";
import { Batch } from "../../../../src/model/document.ts";
import { collect } from "../../../support/data/documents.ts";
import { TYPES, type TypedColumn, typedColumns } from "../../../support/data/every-type.ts";
import { never } from "../../../support/signal.ts";
import { setSession } from "../../../support/stores/session-settings.ts";
import { collectionOf, supabaseTarget } from "../../../support/stores/supabase-target.ts";

/** Rows of each setting: those that SQL makes, and those of fast-check, which have the edges. */
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const [MADE, DRAWN] = LONG ? [23_000, 2_000] : [175, 200];
const SEED = 20_260_401;

const target = supabaseTarget();
let columns: readonly TypedColumn[];
let total = 0;

beforeAll(async () => {
  const probe = await target.project.query("select '<a/>'::xml").catch(() => undefined);
  columns = typedColumns(probe !== undefined);
  const declared = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  const copy = (name: string) => `create table ${name} (id int8 primary key, ${declared});`;
  await target.tables(`${TYPES} ${copy("wide")} ${copy("wide_copy")}`);
  expect(columns.length).toBeGreaterThanOrEqual(30);
});
afterAll(() => {
  process.stdout.write(`  ${total} rows of ${columns.length} types went through documents and back\n`);
});

async function fill(seed: number): Promise<void> {
  const { query } = target.project;
  await query("truncate wide, wide_copy");
  const made = columns.map(({ sql }) => `case when random() < 0.9 then ${sql} end`);
  await query(`
    select setseed(${(seed % 1000) / 1000});
    insert into wide select n, ${made.join(", ")} from generate_series(1, ${MADE}) as n`);
  const drawn = columns.map(({ texts }) =>
    fc.sample(fc.option(texts, { freq: 10 }), { seed, numRuns: DRAWN }),
  );
  const list = columns.map(({ type }, at) => `v.c${at}::${type}`);
  const names = columns.map((_, at) => `c${at}`);
  await query(
    `insert into wide select ${MADE} + v.id, ${list.join(", ")}
     from unnest($1::int8[], ${names.map((_, at) => `$${at + 2}::text[]`).join(", ")}) as v(id, ${names.join(", ")})`,
    [drawn[0]?.map((_, at) => at + 1), ...drawn],
  );
}

async function copy(): Promise<WriteOutcome[]> {
  const outcomes: WriteOutcome[] = [];
  for await (const batch of target.store.read(collectionOf("wide"), { signal: never })) {
    // As a MongoDB gives them back: the same bytes in memory of its own.
    const stored = new Batch(Uint8Array.from(batch.bytes), batch.ends);
    outcomes.push(await target.session.write("wide_copy", stored, "insert", never));
  }
  return outcomes;
}

/** The columns of which some row is another one in the copy, with how many. */
async function differences(): Promise<Record<string, unknown>> {
  const counts = columns.map(
    ({ name }) => `count(*) filter (where a.${name}::text is distinct from b.${name}::text) as ${name}`,
  );
  const { rows } = await target.project.query(
    `select count(*) filter (where a.id is null or b.id is null) as lost, ${counts.join(", ")}
     from wide a full join wide_copy b using (id)`,
  );
  return Object.fromEntries(Object.entries(rows[0] ?? {}).filter(([, count]) => Number(count) !== 0));
}

const SETTINGS = [
  { TZ: "UTC", timezone: "UTC", datestyle: "ISO, MDY", intervalstyle: "postgres" },
  { TZ: "America/St_Johns", timezone: "Asia/Kolkata", datestyle: "SQL, DMY", intervalstyle: "sql_standard" },
  { TZ: "Pacific/Apia", timezone: "Europe/Berlin", datestyle: "German", intervalstyle: "iso_8601" },
  {
    TZ: "Asia/Kathmandu",
    timezone: "America/Sao_Paulo",
    datestyle: "Postgres, MDY",
    intervalstyle: "postgres_verbose",
  },
];

describe("round trip of rows of every type through documents", () => {
  const zone = process.env.TZ;
  beforeEach(() => () => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it.each(SETTINGS)(
    "keeps rows equal with the process in $TZ and the database in $timezone, $datestyle, $intervalstyle",
    async ({ TZ, ...session }) => {
      await setSession(target.project, session);
      await fill(SEED + SETTINGS.findIndex((one) => one.TZ === TZ));
      process.env.TZ = TZ;
      const outcomes = await copy();
      const sum = (count: (outcome: WriteOutcome) => number) =>
        outcomes.reduce((all, one) => all + count(one), 0);
      expect(outcomes.flatMap(({ rejected }) => rejected.map(({ reason }) => reason))).toEqual([]);
      expect(outcomes.flatMap(({ notReproduced = [] }) => notReproduced)).toEqual([]);
      expect(sum(({ written }) => written)).toBe(MADE + DRAWN);
      expect(await differences()).toEqual({});
      // What a run proves: what is read back is equal byte for byte.
      if (!LONG) {
        const documents = (name: string) => collect(target.store.read(collectionOf(name), { signal: never }));
        expect(await documents("wide_copy")).toEqual(await documents("wide"));
      }
      total += MADE + DRAWN;
    },
    LONG ? 900_000 : 60_000,
  );

  it("loses only lower bounds of arrays and escapes in a json that is a single string", async () => {
    await target.project.query("truncate wide, wide_copy");
    const { name } = columns.find(({ type }) => type === "int4[]") as TypedColumn;
    const json = columns.find(({ type }) => type === "json") as TypedColumn;
    await target.project.query(
      `insert into wide (id, ${name}, ${json.name}) values
       (1, '[0:1]={7,8}', '"\\/\\u0041"'), (2, '{7,8}', '["\\/\\u0041"]')`,
    );
    await copy();
    expect(await target.rows(`select ${name} from wide_copy`)).toEqual(['("{7,8}")', '("{7,8}")']);
    expect(await target.rows(`select ${json.name}->>0 as a from wide_copy where id = 2`)).toEqual(["(/A)"]);
    expect(await target.rows(`select ${json.name} from wide_copy where id = 1`)).toEqual(['("""/A""")']);
    expect(await differences()).toEqual({ [name]: "1", [json.name]: "1" });
  });

  it("rejects rows that the API cannot carry, instead of writing something else", async () => {
    await target.project.query("truncate wide, wide_copy");
    const json = columns.find(({ type }) => type === "json") as TypedColumn;
    const jsonb = columns.find(({ type }) => type === "jsonb") as TypedColumn;
    await target.project.query(
      `insert into wide (id, ${json.name}, ${jsonb.name}) values
       (1, 'null', null), (2, '"\\u0000"', null), (3, '{"\\ud800": 1}', null), (4, null, 'null'), (5, '1', '1')`,
    );
    const outcomes = await copy();
    expect(outcomes.flatMap(({ rejected }) => rejected.map(({ reason }) => reason))).toHaveLength(4);
    expect(await target.rows("select id from wide_copy")).toEqual(["(5)"]);
  });
});
