import { execFile } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "../mongodb/mongod.ts";
import { type ServiceProcess, startProcess } from "../process/service-process.ts";
import { type PostgresPrograms, postgresPrograms } from "./postgres-programs.ts";

const run = promisify(execFile);
const START_DEADLINE_MS = 60_000;
const SUPERUSER = "postgres";

/** Runs SQL as superuser. Several statements at once, without values, give the rows of the last. */
export type RunSql = (
  sql: string,
  values?: readonly unknown[],
) => Promise<{ rows: Record<string, unknown>[] }>;

export interface PostgresDatabase {
  readonly name: string;
  /** `postgres://superuser@127.0.0.1:port/database`; there is no password. */
  readonly uri: string;
  readonly query: RunSql;
}

export interface PostgresService {
  readonly port: number;
  /** Address of the database `postgres`, as superuser. */
  readonly uri: string;
  readonly query: RunSql;
  /** Adds an empty database. With `icuLocale` ("en-US") its text is in the order of that language, not of code points. */
  createDatabase(name: string, options?: { readonly icuLocale?: string }): Promise<PostgresDatabase>;
  /** Stops the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts an empty PostgreSQL on a free port of this machine, in UTF-8 and the order of code points, in UTC. It forgets
 * its data in a power cut. It ends with this process, even when this process is killed. Throws with the server's own
 * words when it is not ready within 60 s.
 */
export async function startPostgres(): Promise<PostgresService> {
  const programs = await postgresPrograms();
  const directory = await mkdtemp(join(tmpdir(), "dualsync-postgres-data-"));
  const data = join(directory, "data");
  try {
    if (programs.account !== undefined) await chown(directory, programs.account.uid, programs.account.gid);
    await initialize(programs, data);
    const port = await freePort();
    const server = await startProcess("postgres", keeperCommand(programs, directory, data, port));
    const pools: pg.Pool[] = [];
    const stop = async () => {
      await Promise.all(pools.splice(0).map((pool) => pool.end()));
      await server.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    };
    await accepting(port, server).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { ...service(port, pools), stop };
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

function service(port: number, pools: pg.Pool[]): Omit<PostgresService, "stop"> {
  const { uri, query } = database(port, "postgres", pools);
  const createDatabase: PostgresService["createDatabase"] = async (name, { icuLocale } = {}) => {
    const locale =
      icuLocale === undefined
        ? ""
        : ` locale_provider icu icu_locale ${pg.escapeLiteral(icuLocale)} template template0`;
    await query(`create database ${pg.escapeIdentifier(name)}${locale}`);
    return database(port, name, pools);
  };
  return { port, uri, query, createDatabase };
}

function database(port: number, name: string, pools: pg.Pool[]): PostgresDatabase {
  const uri = `postgres://${SUPERUSER}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
  const pool = new pg.Pool({ connectionString: uri, max: 4 });
  pool.on("error", () => {}); // The server ended a connection that nobody was using.
  pools.push(pool);
  const query: RunSql = async (sql, values) => {
    const result: pg.QueryResult | pg.QueryResult[] = await pool.query(sql, values && [...values]);
    const last = Array.isArray(result) ? result.at(-1) : result;
    return { rows: last?.rows ?? [] };
  };
  return { name, uri, query };
}

async function initialize({ initdb, account }: PostgresPrograms, data: string): Promise<void> {
  const locale = process.platform === "linux" ? "C.UTF-8" : "C";
  const settings = { username: SUPERUSER, encoding: "UTF8", locale, auth: "trust" };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const options = { ...account, cwd: tmpdir(), timeout: START_DEADLINE_MS };
  await run(initdb, [...args, "--no-sync", "--no-instructions", "--pgdata", data], options);
}

function keeperCommand(programs: PostgresPrograms, directory: string, data: string, port: number) {
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    wal_level: "minimal",
    max_wal_senders: 0,
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
  };
  const { postgres, account } = programs;
  return {
    command: process.execPath,
    args: [
      join(import.meta.dirname, "../process/keeper.js"),
      ...(account === undefined ? [] : ["--as", `${account.uid}:${account.gid}`]),
      // On SIGTERM it would wait until its clients are gone.
      ...["--stop-with", "SIGINT", "--remove", directory],
      ...[postgres, "-D", data],
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
  };
}

async function accepting(port: number, server: ServiceProcess): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let ended = false;
  server.ended.then(() => (ended = true)).catch(() => {});
  for (;;) {
    const client = new pg.Client({ host: "127.0.0.1", port, user: SUPERUSER, database: "postgres" });
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (ended || Date.now() > deadline)
        throw new Error(`postgres did not start. It wrote:\n${server.stderr()}`, { cause: error });
      await wait(20);
    }
  }
}
