import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach } from "vitest";
import type { ActiveFault } from "../../services/http/faults.ts";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import type { Fault } from "../../services/postgrest/faults.ts";
import type { Postgrest } from "../../services/postgrest/postgrest.ts";
import { type CliOptions, type CliResult, dualsync } from "../cli.ts";
import { sharedMongodb, sharedPostgrest } from "./shared-services.ts";

/** A Supabase project and a MongoDB for the tests of one file: an empty project and a database of its own for each test. */
export interface ProjectPair {
  readonly project: Postgrest;
  readonly mongodb: MongodbService;
  readonly to: MongoClient;
  /** The database of the test that runs. */
  readonly database: string;
  /** Makes something happen to the project's requests, until the test ends. */
  fail(fault: Fault): ActiveFault;
  /** Runs a command with the environment that an application has; in a folder that stays, if one is given. */
  run(args: readonly string[], cwd?: string, more?: CliOptions): Promise<CliResult>;
}

/** Call at the top of a test file; both are there as soon as tests run. */
export function projectPair(): ProjectPair {
  let project: Postgrest | undefined;
  let mongodb: MongodbService | undefined;
  let client: MongoClient | undefined;
  let count = 0;
  const faults: ActiveFault[] = [];
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("servers are there only while tests run");
    return value;
  };
  const pair: ProjectPair = {
    get project() {
      return started(project);
    },
    get mongodb() {
      return started(mongodb);
    },
    get to() {
      return started(client);
    },
    get database() {
      return `copy${count}`;
    },
    fail(fault) {
      const active = pair.project.fail(fault);
      faults.push(active);
      return active;
    },
    run(args, cwd, more = {}) {
      const env = {
        NEXT_PUBLIC_SUPABASE_URL: pair.project.url,
        SUPABASE_SERVICE_ROLE_KEY: pair.project.serviceKey,
        MONGODB_URI: withDatabase(pair.mongodb.uri, pair.database),
        ...more.env,
      };
      return dualsync(args, { ...more, ...(cwd === undefined ? {} : { cwd }), env });
    },
  };
  beforeAll(async () => {
    [project, mongodb] = await Promise.all([sharedPostgrest(), sharedMongodb()]);
    client = await new MongoClient(mongodb.uri).connect();
    return async () => {
      await client?.close();
      await Promise.all([project?.stop(), mongodb?.stop()]);
    };
  });
  beforeEach(() => {
    count++;
  });
  afterEach(async () => {
    for (const fault of faults.splice(0)) fault.stop();
    await pair.project.query(EMPTY_PROJECT);
  });
  return pair;
}

/** Everything of the schema but the schema itself and its rights. */
export const EMPTY_PROJECT = `
do $$ declare one record; begin
  for one in select relname as name, relkind from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') loop
    execute format('drop %s if exists public.%I cascade', case one.relkind when 'v' then 'view' else 'table' end, one.name);
  end loop;
end $$;
`;
