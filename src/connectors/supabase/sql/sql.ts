/** The SQL that a project may be given, all of it in one text: for psql, and for the SQL editor of Supabase. */
import { BLUEPRINTS, BLUEPRINTS_SQL } from "./sql-blueprints.ts";
import { CATALOG, CATALOG_SQL } from "./sql-catalog.ts";
import { DIGEST, DIGEST_SQL } from "./sql-digest.ts";
import { CONTROL_TABLE, LEASE_FUNCTIONS, leaseSql } from "./sql-lease.ts";
import { OID, OID_SQL } from "./sql-oid.ts";
import { SETVAL, SETVAL_SQL } from "./sql-setval.ts";

/** Functions, tables or whatever else a project is given. */
interface SqlPart {
  /** What it is for, one line. */
  readonly purpose: string;
  /** May be run again at any time. */
  readonly create: string;
  /** Statements that take it away again, one line each. */
  readonly drop: readonly string[];
}

const SCHEMA = "public";

/** In the order in which they are created. */
const PARTS: readonly SqlPart[] = [
  oneFunction(CATALOG_SQL, {
    name: CATALOG,
    types: "",
    purpose:
      "facts of tables that the API does not expose: scales, keys, references, triggers, row security; and settings",
  }),
  oneFunction(BLUEPRINTS_SQL, {
    name: BLUEPRINTS,
    types: "",
    purpose: "what is needed to create the tables again: kept with the copy",
  }),
  oneFunction(OID_SQL, {
    name: OID,
    types: "text",
    purpose: "tells a table from one that took its name during a run",
  }),
  oneFunction(DIGEST_SQL, {
    name: DIGEST,
    types: "text, text[], text[], text[], text[], text[], integer",
    purpose: "hashes of rows: diff then reads only rows that differ",
  }),
  oneFunction(SETVAL_SQL, {
    name: SETVAL,
    types: "text, text",
    purpose: "moves a sequence past its column's values after rows were written back",
  }),
  {
    purpose: `${CONTROL_TABLE} and its functions: the lock and the run record; needed to write`,
    create: `-- The control table, and the only functions that change it.\n${leaseSql(SCHEMA)}\n`,
    drop: [
      ...Object.values(LEASE_FUNCTIONS).map((name) => `drop function if exists ${SCHEMA}.${name};`),
      `drop table if exists ${SCHEMA}.${CONTROL_TABLE};`,
    ],
  },
];

interface OneFunction {
  readonly name: string;
  readonly types: string;
  readonly purpose: string;
}

/** Only servers may call it: keys of browsers and people may not. */
function oneFunction(sql: string, { name, types, purpose }: OneFunction): SqlPart {
  const signature = `${SCHEMA}.${name}(${types})`;
  return {
    purpose: `${name}: ${purpose}`,
    create: `${sql.trim()}
revoke all on function ${signature} from public, anon, authenticated;
grant execute on function ${signature} to service_role;
`,
    drop: [`drop function if exists ${signature};`],
  };
}

/** Everything, in one transaction, with what it is and how to remove it at its head. */
export function installSql(): string {
  return `-- What dualsync can use in a Supabase project. Reading works without any of it.
--
${PARTS.map(({ purpose }) => `--   ${purpose}`).join("\n")}
--
-- Only the service role may call these functions. They change no row of your tables. Run this text again at
-- any time, after an update of dualsync too. To remove everything again:
--
${PARTS.flatMap(({ drop }) => drop.map((statement) => `--   ${statement}`)).join("\n")}

begin;

${PARTS.map(({ create }) => create).join("\n")}
-- Lets the API know at once.
notify pgrst, 'reload schema';

commit;
`;
}
