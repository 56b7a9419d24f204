import type { ActiveFault } from "../http/faults.ts";
import { startHttp } from "../http/http-server.ts";
import { type PostgresService, type RunSql, startPostgres } from "../postgres/postgres.ts";
import type { Fault, Recorded } from "./faults.ts";
import { Gateway, type PostgrestSettings } from "./gateway.ts";
import { createRoles, KEYS, openSchema } from "./roles.ts";
import { readSchema } from "./schema.ts";
import { openSessions } from "./session.ts";

export interface PostgrestOptions extends Partial<PostgrestSettings> {
  /** Server for the gateway's database. Default: one of its own, which it stops with itself. */
  readonly postgres?: PostgresService;
  /** Name of its new database on that server. Default: one that is free. */
  readonly database?: string;
  /** The schema it serves. Default: public. */
  readonly schema?: string;
  /** Whether new tables are granted to all roles, as in projects made before June 2026. Default: yes. */
  readonly grants?: boolean;
}

export interface Postgrest {
  /** `http://127.0.0.1:port`; the tables are below `/rest/v1/`. */
  readonly url: string;
  /** A JWT of the role service_role, which no policy binds. */
  readonly serviceKey: string;
  /** `sb_secret_…`, of the same role. */
  readonly secretKey: string;
  /** A JWT of the role anon. */
  readonly anonKey: string;
  /** `sb_publishable_…`, of the same role. */
  readonly publishableKey: string;
  /** A JWT of a role for servers that has all rights, and yet is bound by policies. */
  readonly limitedKey: string;
  /** SQL as superuser on the gateway's database, past the gateway. */
  readonly query: RunSql;
  readonly settings: PostgrestSettings;
  /** All that came, in order. */
  readonly requests: readonly Recorded[];
  /** Makes something happen to the requests to come. */
  fail(fault: Fault): ActiveFault;
  /** Looks at the schema again: before that, tables added since are unknown. */
  reload(): Promise<void>;
  /** May be called again. */
  stop(): Promise<void>;
}

const DEFAULTS: PostgrestSettings = {
  maxRows: undefined,
  maxBodyBytes: undefined,
  statementTimeoutMs: undefined,
  integerFormats: "postgres",
  described: true,
  safeUpdate: false,
  compress: false,
};

function given({ postgres: _, database, schema, grants, ...settings }: PostgrestOptions) {
  return settings;
}

/** Starts a gateway that answers as PostgREST behind Supabase's address does. Load tables with `query`, then `reload`. */
export async function startPostgrest(options: PostgrestOptions = {}): Promise<Postgrest> {
  const postgres = options.postgres ?? (await startPostgres());
  const stopOwn = async () => {
    if (options.postgres === undefined) await postgres.stop();
  };
  try {
    const schemaName = options.schema ?? "public";
    const { uri, query } = await postgres.createDatabase(options.database ?? freeName());
    await createRoles(postgres.query);
    await openSchema(query, schemaName, options.grants ?? true);
    const settings: PostgrestSettings = { ...DEFAULTS, ...given(options) };
    const sessions = openSessions(uri, schemaName);
    const gateway = new Gateway(sessions, settings, await readSchema(query, schemaName));
    const reload = async () => {
      gateway.schema = await readSchema(query, schemaName);
    };
    const http = await startHttp(
      (request, response) => gateway.serve(request, response),
      () => sessions.end(),
    );
    const stop = async () => {
      await http.stop();
      await stopOwn();
    };
    const url = `http://127.0.0.1:${http.port}`;
    const { service: serviceKey, secret: secretKey, anon: anonKey } = KEYS;
    const { publishable: publishableKey, limited: limitedKey } = KEYS;
    const { requests, faults } = gateway;
    return {
      ...{ url, serviceKey, secretKey, anonKey, publishableKey, limitedKey },
      ...{ query, settings, requests, fail: (fault) => faults.add(fault), reload, stop },
    };
  } catch (error) {
    await stopOwn();
    throw error;
  }
}

let databases = 0;

function freeName(): string {
  databases++;
  return `project_${process.pid}_${databases}`;
}
