import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach } from "vitest";
import { type MongodbOptions, type MongodbService, startMongodb, withDatabase } from "../services/mongodb.ts";
import { type CliResult, dualsync } from "./cli.ts";

/** Two servers for the tests of one file, with a database of its own, on both, for each test. */
export interface ServerPair {
  readonly source: MongodbService;
  readonly target: MongodbService;
  readonly from: MongoClient;
  readonly to: MongoClient;
  /** The database of the test that runs. */
  readonly database: string;
  /** Runs `dualsync duplicate` from the source's database to the target's. */
  duplicate(...flags: string[]): Promise<CliResult>;
}

/** Call at the top of a test file; the servers are there as soon as tests run. */
export function serverPair(
  sourceOptions: MongodbOptions = {},
  targetOptions: MongodbOptions = {},
): ServerPair {
  let servers: [MongodbService, MongodbService] | undefined;
  let clients: [MongoClient, MongoClient] | undefined;
  let count = 0;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the servers are there only while tests run");
    return value;
  };
  const pair: ServerPair = {
    get source() {
      return started(servers)[0];
    },
    get target() {
      return started(servers)[1];
    },
    get from() {
      return started(clients)[0];
    },
    get to() {
      return started(clients)[1];
    },
    get database() {
      return `shop${count}`;
    },
    duplicate(...flags) {
      const env = {
        LIVE: withDatabase(pair.source.uri, pair.database),
        COPY: withDatabase(pair.target.uri, pair.database),
      };
      return dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags], { env });
    },
  };
  beforeAll(async () => {
    const [source, target] = await Promise.all([startMongodb(sourceOptions), startMongodb(targetOptions)]);
    servers = [source, target];
    const [from, to] = [new MongoClient(source.uri), new MongoClient(target.uri)];
    clients = [from, to];
    return async () => {
      await Promise.all([from.close(), to.close()]);
      await Promise.all([source.stop(), target.stop()]);
    };
  });
  beforeEach(() => {
    count++;
  });
  afterEach(async () => {
    await Promise.all([pair.from.db(pair.database).dropDatabase(), pair.to.db(pair.database).dropDatabase()]);
  });
  return pair;
}
