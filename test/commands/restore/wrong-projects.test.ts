import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "mongodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { leaseSql } from "../../../src/connectors/supabase/sql/sql-lease.ts";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { dropEverythingOn, everyRowOf, everythingOn } from "../../support/data/everything.ts";
import { expectExplained } from "../../support/explained.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Restores into Supabase projects that must not happen: each leaves every row, and the copy's server, as it was. */
const pair = projectPair();

interface Scenario {
  /** What is wrong. */
  readonly when: string;
  readonly code: 2 | 6 | 7 | 8;
  readonly says: RegExp;
  readonly args?: readonly string[];
  readonly env?: () => Readonly<Record<string, string>>;
  /** SQL that is run before the run. */
  readonly sql?: string;
  /** What happens to the copy before the run. */
  readonly given?: () => Promise<unknown>;
}

const host = () => new URL(pair.project.url).host;
const copy = () => pair.to.db(pair.database);
const everything = async () => [await everyRowOf(pair.project), await everythingOn(pair.to)];

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
  await sql(UNINSTALL);
  await fillStorefront(pair.project.query, { customers: 40 });
  await sql(installSql());
  const { code, stdout, stderr } = await pair.run(["backfill"], folder);
  expect(code, stdout + stderr).toBe(0);
  await sql(`delete from customers where visits % 20 = 3;
    update customers set name = 'damaged' where visits % 20 = 4;
    insert into customers (email) values ('new@shop.example')`);
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await dropEverythingOn(pair.to);
});

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

/** All that `dualsync sql` prints, taken back. */
const UNINSTALL = `
do $$ declare one record; begin
  for one in select oid::regprocedure as name from pg_proc
    where pronamespace = 'public'::regnamespace and proname like 'dualsync%' loop
    execute 'drop function ' || one.name || ' cascade';
  end loop;
end $$;
drop table if exists _dualsync;
`;
/** The control table, and none of the functions that show what refers to a row. */
const ONLY_LEASE = `${UNINSTALL} ${leaseSql("public")}`;

const HELD = `insert into _dualsync (id, content, since, until) values ('lease',
  '{"run": "0ther000", "nonce": "another", "command": "backfill", "host": "not ${hostname()}", "pid": 1}', now(), now() + interval '1 hour')`;
const HALF_RESTORED = `insert into _dualsync (id, content) values ('restored',
  '{"command": "restore", "from": "copy", "run": "0badcafe", "token": "t", "complete": false, "since": "2026-02-03T04:05:06Z", "documents": []}')`;

async function heldCopy(): Promise<void> {
  const lease = {
    ...{ run: "0ther000", nonce: "another", command: "duplicate", from: "elsewhere" },
    ...{ host: `not ${hostname()}`, pid: 1, since: new Date(), until: new Date(Date.now() + 3_600_000) },
  };
  await copy()
    .collection<Document & { _id: string }>("_dualsync")
    .replaceOne({ _id: "lease" }, lease, { upsert: true });
}

const CONFIRMED = ["--apply", "--confirm", "HOST"];
const overwrite = (...more: string[]) => ["--mode", "overwrite", ...more];
const exact = (...more: string[]) => ["--mode", "exact", "--include-newer", ...more];

const CONFIRMATION: readonly Scenario[] = [
  {
    when: "--apply is missing",
    code: 6,
    args: overwrite(),
    says: /nothing was restored\. To restore: dualsync restore --mode overwrite --apply --confirm \S+:\d+/,
  },
  { when: "nobody can be asked", code: 6, args: overwrite("--apply"), says: /its name is needed/ },
  {
    when: "--confirm names the schema",
    code: 2,
    args: overwrite("--apply", "--confirm", "public"),
    says: /--confirm names "public", but the target is "\S+:\d+"/,
  },
  {
    when: "--confirm names the copy",
    code: 2,
    args: overwrite("--apply", "--confirm", "copy"),
    says: /--confirm names "copy"/,
  },
  {
    when: "--confirm names the address",
    code: 2,
    args: overwrite("--apply", "--confirm", "http://HOST"),
    says: /--confirm names "http/,
  },
  { when: "--yes is given", code: 2, args: overwrite("--apply", "--yes"), says: /unknown option '--yes'/ },
];

const STORES: readonly Scenario[] = [
  {
    when: "the project has no control table",
    code: 6,
    args: overwrite(...CONFIRMED),
    sql: UNINSTALL,
    says: /has no control table yet[\s\S]*Run dualsync sql/,
  },
  {
    when: "the project has no control table, before --apply",
    code: 6,
    args: overwrite(),
    sql: UNINSTALL,
    says: /has no control table yet, and nothing is written to it before that is there: run dualsync sql/,
  },
  {
    when: "--mode exact would remove rows and nobody knows what refers to them",
    code: 6,
    args: exact(...CONFIRMED),
    sql: ONLY_LEASE,
    says: /--mode exact would remove rows of customers, and it is not known what refers to them/,
  },
  {
    when: "another run holds the lock of the project",
    code: 7,
    args: overwrite(...CONFIRMED),
    sql: HELD,
    says: /is locked by dualsync backfill on not /,
  },
  {
    when: "another run holds the lock of the copy",
    code: 7,
    args: overwrite(...CONFIRMED),
    given: heldCopy,
    says: /is locked by dualsync duplicate on not /,
  },
  {
    when: "the copy has shrunk",
    code: 6,
    args: exact(...CONFIRMED),
    given: () =>
      copy()
        .collection<Document>("customers")
        .deleteMany({ visits: { $gt: 3 } }),
    says: /--mode exact would remove/,
  },
  {
    when: "the copy has lost its documents",
    code: 6,
    args: overwrite(...CONFIRMED),
    given: () => Promise.all(["customers", "shops"].map((name) => copy().collection(name).deleteMany({}))),
    says: /holds no document of what is to be restored/,
  },
  {
    when: "a collection of the copy has lost its documents",
    code: 6,
    args: exact(...CONFIRMED, "--allow-shrink"),
    given: () => copy().collection("customers").deleteMany({}),
    says: /"customers" is empty in the copy: --mode exact would remove all/,
  },
  {
    when: "the copy is gone",
    code: 6,
    args: overwrite(...CONFIRMED),
    given: () => copy().dropDatabase(),
    says: /has nothing to copy/,
  },
  {
    when: "all that is chosen lacks its table",
    code: 6,
    args: overwrite(...CONFIRMED, "--include", "customers"),
    sql: "drop table customers",
    says: /Nothing of what was chosen can be restored: collection customers: the target has no table customers/,
  },
  {
    when: "all that is chosen is a view there",
    code: 6,
    args: overwrite(...CONFIRMED, "--include", "customers"),
    sql: "alter table customers rename to people; create view customers as select * from people; grant select on customers to service_role",
    says: /Nothing of what was chosen can be restored: collection customers/,
  },
  {
    when: "from and to are swapped",
    code: 2,
    args: ["--from", "supabase", "--to", "mongodb", ...overwrite(...CONFIRMED)],
    says: /restore copies/,
  },
  {
    when: "both sides are the project",
    code: 2,
    args: ["--from", "supabase", "--to", "supabase", ...overwrite(...CONFIRMED)],
    says: /restore copies/,
  },
  {
    when: "the key is a public one",
    code: 2,
    args: overwrite(...CONFIRMED),
    env: () => ({ SUPABASE_SERVICE_ROLE_KEY: pair.project.anonKey }),
    says: /public key/,
  },
  {
    when: "the address of the copy names no database",
    code: 2,
    args: overwrite(...CONFIRMED),
    env: () => ({ MONGODB_URI: withDatabase(pair.mongodb.uri, "").replace(/\/\?/, "/?") }),
    says: /database/,
  },
  {
    when: "the environment names a second pair",
    code: 2,
    args: overwrite("--apply"),
    env: () => ({
      MONGODB_LOCAL_URI: withDatabase(pair.mongodb.uri, "one"),
      MONGODB_ATLAS_URI: withDatabase(pair.mongodb.uri, "two"),
    }),
    says: /restore found 2 pairs/,
  },
  {
    when: "--filter is used at all, which tables do not have",
    code: 2,
    args: overwrite(...CONFIRMED, "--filter", 'customers={"visits":3}'),
    says: /--filter cannot be used where one side is a Supabase project/,
  },
  {
    when: "--id is of an unknown table",
    code: 6,
    args: overwrite(...CONFIRMED, "--id", "invoices/1"),
    says: /names no document of the copy/,
  },
  {
    when: "--id comes with --mode exact",
    code: 2,
    args: exact(...CONFIRMED, "--id", "customers/1"),
    says: /--mode exact removes/,
  },
];

describe.each([
  ["without confirmation", CONFIRMATION],
  ["for its stores", STORES],
] as const)("restore into a project refused %s", (_, scenarios) => {
  it.each(scenarios)("restore ends with $code and writes nothing when $when", async (scenario) => {
    const { code, says, args = [], env = () => ({}), given } = scenario;
    if (scenario.sql !== undefined) await sql(scenario.sql);
    await given?.();
    const before = await everything();
    const words = args.map((word) => word.replace("HOST", host()));
    const result = await pair.run(["restore", ...words], folder, { env: env() });
    const said = result.stdout + result.stderr;
    expect([result.code, said]).toEqual([code, expect.stringMatching(says)]);
    if (code !== 2) expectExplained(said, code);
    expect(await everything()).toEqual(before);
  });
});

it.each([
  ["backfill", ["backfill"]],
  ["backfill with --delete", ["backfill", "--delete", "--yes"]],
  ["backfill of what changed since", ["backfill", "--since", "last"]],
  ["diff", ["diff"]],
  ["repair", ["repair", "repair.plan", "--yes"]],
] as const)("%s refuses a project that is half restored, and changes nothing", async (_, args) => {
  expect((await pair.run(["diff", "--plan", "repair.plan"], folder)).code).toBe(1);
  await sql(HALF_RESTORED);
  const before = await everything();
  const { code, stdout, stderr } = await pair.run(args, folder);
  expect([code, stdout + stderr]).toEqual([
    6,
    expect.stringMatching(/is being restored: run 0badcafe, from copy, began at 2026-02-03 04:05 UTC/),
  ]);
  expect(await everything()).toEqual(before);
});

it("--mode missing leaves every row of the project as it is and adds what is missing", async () => {
  const rows = async () => {
    const found = await pair.project.query("select id::text as id, c::text as row from customers c");
    return new Map(found.rows.map(({ id, row }) => [id, row]));
  };
  const before = await rows();
  const { code, stdout, stderr } = await pair.run(["restore", "--apply", "--confirm", host()], folder);
  expect(code, stdout + stderr).toBe(0);
  const after = await rows();
  expect(after.size).toBeGreaterThan(before.size);
  for (const [id, row] of before) expect(after.get(id)).toBe(row);
});
