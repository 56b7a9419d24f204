import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach } from "vitest";
import type { ActiveFault } from "../../services/http/faults.ts";
import type { MongodbService } from "../../services/mongodb/mongodb.ts";
import type { Fault } from "../../services/upstash/faults.ts";
import { startUpstash, type Upstash } from "../../services/upstash/upstash.ts";
import { type CliOptions, type CliResult, dualsync } from "../cli.ts";
import { sharedMongodb } from "./shared-services.ts";

/** A KV store and a MongoDB for the tests of one file: an empty store and a database of its own for each test. */
export interface KvPair {
  readonly upstash: Upstash;
  readonly mongodb: MongodbService;
  readonly to: MongoClient;
  /** The database of the test that runs. */
  readonly database: string;
  /** What people call the KV store: its host. */
  readonly kv: string;
  /** Runs a command past the edge: nothing is billed. */
  redis(...command: (string | number | Uint8Array)[]): Promise<unknown>;
  /** Makes something happen to the requests to KV, until the test ends. */
  fail(fault: Fault): ActiveFault;
  /** Runs a command with the environment that an application has; in a folder that stays, if one is given. */
  run(args: readonly string[], cwd?: string, more?: CliOptions): Promise<CliResult>;
}

/** Call at the top of a test file; both are there as soon as tests run. */
export function kvPair(): KvPair {
  let upstash: Upstash | undefined;
  let mongodb: MongodbService | undefined;
  let client: MongoClient | undefined;
  let count = 0;
  const faults: ActiveFault[] = [];
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("servers are there only while tests run");
    return value;
  };
  const pair: KvPair = {
    get upstash() {
      return started(upstash);
    },
    get mongodb() {
      return started(mongodb);
    },
    get to() {
      return started(client);
    },
    get database() {
      return `skinvault${count}`;
    },
    get kv() {
      return new URL(pair.upstash.url).host;
    },
    redis: (...command) =>
      pair.upstash.redis.run(
        ...command.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part)),
      ),
    fail(fault) {
      const active = pair.upstash.fail(fault);
      faults.push(active);
      return active;
    },
    run(args, cwd, more = {}) {
      const env = {
        KV_REST_API_URL: pair.upstash.url,
        KV_REST_API_TOKEN: pair.upstash.token,
        MONGODB_URI: pair.mongodb.uri,
        MONGODB_DB_NAME: pair.database,
        ...more.env,
      };
      return dualsync(args, { ...more, ...(cwd === undefined ? {} : { cwd }), env });
    },
  };
  beforeAll(async () => {
    [upstash, mongodb] = await Promise.all([startUpstash(), sharedMongodb()]);
    client = await new MongoClient(mongodb.uri).connect();
    return async () => {
      await client?.close();
      await Promise.all([upstash?.stop(), mongodb?.stop()]);
    };
  });
  beforeEach(async () => {
    count++;
    await pair.upstash.redis.flush();
  });
  afterEach(() => {
    for (const fault of faults.splice(0)) fault.stop();
  });
  return pair;
}
