import pg from "pg";
import { literal } from "./sql.ts";

/** As whom, and how, a transaction runs. */
export interface Caller {
  readonly role: string;
  readonly method: string;
  readonly path: string;
  readonly timezone: string | undefined;
  readonly statementTimeoutMs: number | undefined;
}

/** What the one row of a statement says; every column is text. */
export type Row = Readonly<Record<string, string | null>>;

export interface Transaction {
  readonly readOnly: boolean;
  readonly sql: string;
  /** Looks at the result before it is kept; what it throws undoes it. */
  readonly judge?: (row: Row) => void;
}

/** The pooled connections of a gateway, each of them as `authenticator`, which has no rights of its own. */
export interface Sessions {
  /** Runs one statement in its own transaction, as the caller's role; gives its first row. */
  run(caller: Caller, transaction: Transaction): Promise<Row>;
  end(): Promise<void>;
}

export function openSessions(uri: string, schema: string): Sessions {
  const address = new URL(uri);
  address.username = "authenticator";
  const types = { getTypeParser: () => (value: string) => value };
  const pool = new pg.Pool({ connectionString: address.href, max: 10, types: types as pg.CustomTypesConfig });
  pool.on("error", () => {}); // The server ended a connection that nobody was using.
  const run: Sessions["run"] = async (caller, { readOnly, sql, judge }) => {
    const client = await pool.connect();
    let broken: Error | undefined;
    // A connection that the server ends may also break while nothing is asked of it.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on("error", onError);
    try {
      // One message, so one way there and back.
      const begin = `BEGIN ISOLATION LEVEL READ COMMITTED ${readOnly ? "READ ONLY" : "READ WRITE"}`;
      const statements = [begin, settings(caller, schema), sql, ...(judge === undefined ? ["COMMIT"] : [])];
      const results = (await client.query(statements.join(";\n"))) as unknown as readonly pg.QueryResult[];
      const row = (results[2]?.rows[0] ?? {}) as Row;
      if (judge === undefined) return row;
      judge(row);
      await client.query("COMMIT");
      return row;
    } catch (error) {
      await client.query("ROLLBACK").catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  };
  return { run, end: () => pool.end() };
}

function settings(caller: Caller, schema: string): string {
  const { role, method, path, timezone, statementTimeoutMs } = caller;
  const values: Record<string, string | undefined> = {
    search_path: `"${schema.replaceAll('"', '""')}"`,
    "request.jwt.claims": JSON.stringify({ role }),
    "request.method": method,
    "request.path": path,
    timezone,
    statement_timeout: statementTimeoutMs === undefined ? undefined : String(statementTimeoutMs),
    role,
  };
  const calls = Object.entries(values)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `set_config('${name}', ${literal(value)}, true)`);
  return `SELECT ${calls.join(", ")}`;
}
