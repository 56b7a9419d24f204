import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listening } from "./listening.ts";
import { type PostgresService, type RunSql, startPostgres } from "./postgres.ts";
import { type Answer, errorAnswer, PostgrestError } from "./postgrest-errors.ts";
import { describe, type IntegerFormats } from "./postgrest-openapi.ts";
import { readPreferences } from "./postgrest-preferences.ts";
import { readTable } from "./postgrest-read.ts";
import { acceptedType, checkProfile, type Exchange } from "./postgrest-request.ts";
import { createRoles, KEYS, roleOf } from "./postgrest-roles.ts";
import { callFunction } from "./postgrest-rpc.ts";
import { readSchema, type SchemaCache } from "./postgrest-schema.ts";
import { openSessions, type Sessions } from "./postgrest-session.ts";
import { deleteRows, insertRows, updateRows } from "./postgrest-write.ts";

/** What can also be changed while the gateway runs. */
export interface PostgrestSettings {
  /** Most rows of one answer to a reading request. Default: no cap; hosted projects have 1000. */
  maxRows: number | undefined;
  /** How long a statement of the service role may take. Default: as long as it needs. */
  statementTimeoutMs: number | undefined;
  /** How the description names integers. Default: "postgres". */
  integerFormats: IntegerFormats;
  /** Refuses DELETE and PATCH of whole tables, as the extension safeupdate does. Default: no. */
  safeUpdate: boolean;
}

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
  /** Looks at the schema again: before that, tables added since are unknown. */
  reload(): Promise<void>;
  /** May be called again. */
  stop(): Promise<void>;
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
    await createRoles(query, schemaName, options.grants ?? true);
    const settings: PostgrestSettings = {
      maxRows: options.maxRows,
      statementTimeoutMs: options.statementTimeoutMs,
      integerFormats: options.integerFormats ?? "postgres",
      safeUpdate: options.safeUpdate ?? false,
    };
    const sessions = openSessions(uri, schemaName);
    const gateway = new Gateway(sessions, settings, await readSchema(query, schemaName));
    const reload = async () => {
      gateway.schema = await readSchema(query, schemaName);
    };
    const server = createServer({ maxHeaderSize: 128 * 1024, keepAlive: true }, (request, response) => {
      gateway.serve(request, response).catch(() => response.destroy());
    });
    server.keepAliveTimeout = 60_000;
    const port = await listening(server);
    const stop = async () => {
      if (server.listening) {
        const closed = new Promise((done) => server.close(done));
        server.closeAllConnections();
        await closed;
        await sessions.end();
      }
      await stopOwn();
    };
    const url = `http://127.0.0.1:${port}`;
    const { service: serviceKey, secret: secretKey, anon: anonKey } = KEYS;
    const { publishable: publishableKey, limited: limitedKey } = KEYS;
    return { url, serviceKey, secretKey, anonKey, publishableKey, limitedKey, query, settings, reload, stop };
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

/** Longer addresses are refused as hosted gateways do. */
const LONGEST_TARGET = 16_000;

class Gateway {
  schema: SchemaCache;
  readonly #sessions: Sessions;
  readonly #settings: PostgrestSettings;

  constructor(sessions: Sessions, settings: PostgrestSettings, schema: SchemaCache) {
    this.#sessions = sessions;
    this.#settings = settings;
    this.schema = schema;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const answer = await this.answer(request, body);
    send(response, answer, request.method === "HEAD");
  }

  async answer(request: IncomingMessage, body: string): Promise<Answer> {
    const { headers, url: target = "/" } = request;
    const [path = "", search] = target.split(/\?(.*)/s);
    let anonymous = false;
    try {
      if (target.length > LONGEST_TARGET) return tooLong();
      const role = roleOf(headers);
      if (typeof role !== "string") return role;
      anonymous = role === "anon";
      return await this.#route(await this.#exchange(request, role, path, search ?? "", body));
    } catch (error) {
      return errorAnswer(error, anonymous);
    }
  }

  async #exchange(
    { method = "GET", headers }: IncomingMessage,
    role: string,
    target: string,
    search: string,
    body: string,
  ): Promise<Exchange> {
    const { schema } = this;
    const { maxRows, statementTimeoutMs, safeUpdate } = this.#settings;
    if (target !== "/rest/v1" && !target.startsWith("/rest/v1/")) throw invalidPath();
    const path = decodeURIComponent(target.slice("/rest/v1".length)) || "/";
    checkProfile(headers, method, schema.schema);
    const preferences = readPreferences(headers, schema.timezones);
    const caller = {
      ...{ role, method, path, timezone: preferences.timezone },
      statementTimeoutMs: role === "anon" ? undefined : statementTimeoutMs,
    };
    return {
      ...{ method, path, headers, role, body, preferences, schema, maxRows, safeUpdate },
      parameters: new URLSearchParams(search),
      accept: acceptedType(headers, path),
      run: (transaction) => this.#sessions.run(caller, transaction),
    };
  }

  async #route(exchange: Exchange): Promise<Answer> {
    const { method, path } = exchange;
    const reading = method === "GET" || method === "HEAD";
    if (path === "/" && reading) return describe(exchange, this.#settings.integerFormats);
    const [, called] = /^\/rpc\/([^/]+)$/.exec(path) ?? [];
    if (called !== undefined && (reading || method === "POST")) return callFunction(exchange, called);
    const [, name] = /^\/([^/]+)\/?$/.exec(path) ?? [];
    if (name === undefined) throw invalidPath();
    if (reading) return readTable(exchange, name);
    if (method === "POST") return insertRows(exchange, name);
    if (method === "PATCH") return updateRows(exchange, name);
    if (method === "DELETE") return deleteRows(exchange, name);
    throw new PostgrestError(405, "PGRST117", `Unsupported HTTP method: ${method}`);
  }
}

function invalidPath(): PostgrestError {
  return new PostgrestError(404, "PGRST125", "Invalid path specified in request URL");
}

function tooLong(): Answer {
  const body = "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n</html>\r\n";
  return { status: 414, headers: { "Content-Type": "text/html" }, body };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, headers, body }: Answer, head: boolean): void {
  const bytes = body === undefined || head ? undefined : Buffer.from(body);
  const length = bytes === undefined ? {} : { "Content-Length": bytes.length };
  response.writeHead(status, { ...headers, ...length });
  response.end(bytes);
}
