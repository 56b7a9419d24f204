import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach } from "vitest";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliOptions, type CliResult, dualsync } from "../cli.ts";
import { sharedMongodb } from "./shared-services.ts";

/** One server for the tests of one file, with a database of its own for each test. */
export interface OneMongodb {
  readonly client: MongoClient;
  /** Of the server, without a database. */
  readonly uri: string;
  /** The database of the test that runs. */
  readonly database: string;
  /** Runs a command with MONGODB_URI set to that database; in a folder that stays, if one is given. */
  run(args: readonly string[], cwd?: string, more?: CliOptions): Promise<CliResult>;
}

/** Call at the top of a test file or a block; the server is there as soon as tests run. */
export function mongodbStore(): OneMongodb {
  let server: MongodbService | undefined;
  let client: MongoClient | undefined;
  let count = 0;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the server is there only while tests run");
    return value;
  };
  const one: OneMongodb = {
    get client() {
      return started(client);
    },
    get uri() {
      return started(server).uri;
    },
    get database() {
      return `archived${count}`;
    },
    run(args, cwd, more = {}) {
      const env = { MONGODB_URI: withDatabase(started(server).uri, one.database), ...more.env };
      return dualsync(args, { ...more, ...(cwd === undefined ? {} : { cwd }), env });
    },
  };
  beforeAll(async () => {
    server = await sharedMongodb();
    client = await new MongoClient(server.uri).connect();
    return async () => {
      await client?.close();
      await server?.stop();
    };
  });
  beforeEach(() => {
    count++;
  });
  afterEach(async () => {
    await one.client.db(one.database).dropDatabase();
  });
  return one;
}
