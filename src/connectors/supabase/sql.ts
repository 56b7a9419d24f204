/** The SQL that a project may be given, all of it in one text: for psql, and for the SQL editor of Supabase. */
import { CATALOG, CATALOG_SQL } from "./sql-catalog.ts";
import { DIGEST, DIGEST_SQL } from "./sql-digest.ts";
import { SETVAL, SETVAL_SQL } from "./sql-setval.ts";

/** A function, a table or whatever else a project is given. */
interface Part {
  /** What it is for, one line. */
  readonly purpose: string;
  /** May be run again at any time. */
  readonly create: string;
  /** Takes it away again; one statement on one line. */
  readonly drop: string;
}

/** In the order in which they are created. */
const PARTS: readonly Part[] = [
  part(
    CATALOG,
    "",
    "what the project's API does not tell of tables: scales, keys, identity, row security",
    CATALOG_SQL,
  ),
  part(
    DIGEST,
    "text, text[], text[], text[], text[], text[], integer",
    "hashes of rows: diff then reads only rows that differ",
    DIGEST_SQL,
  ),
  part(SETVAL, "text, text", "sets a sequence to its column's maximum after a restore", SETVAL_SQL),
];

/** Only servers may call it: keys of browsers and people may not. */
function part(name: string, types: string, purpose: string, sql: string): Part {
  const signature = `public.${name}(${types})`;
  return {
    purpose: `${name}: ${purpose}`,
    create: `${sql.trim()}
revoke all on function ${signature} from public, anon, authenticated;
grant execute on function ${signature} to service_role;
`,
    drop: `drop function if exists ${signature};`,
  };
}

/** Everything, in one transaction, with what it is and how to remove it at its head. */
export function installSql(): string {
  return `-- Functions of dualsync for a Supabase project. They are optional: every command works without them.
--
${PARTS.map(({ purpose }) => `--   ${purpose}`).join("\n")}
--
-- Only the service role may call them; they change no table. Run this text again at any time, after an
-- update of dualsync too. To remove everything again:
--
${PARTS.map(({ drop }) => `--   ${drop}`).join("\n")}

begin;

${PARTS.map(({ create }) => create).join("\n")}
-- Lets the API know at once.
notify pgrst, 'reload schema';

commit;
`;
}
