import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach } from "vitest";
import { type MongodbOptions, type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import type { WireProxy } from "../../services/wire-proxy/wire-proxy.ts";
import { type CliResult, dualsync } from "../cli.ts";
import { type FacedMongodb, type ProxyOptions, startFaced } from "./faced.ts";

/** Two servers for the tests of one file, with a database of its own, on both, for each test. */
export interface ServerPair {
  readonly source: MongodbService;
  readonly target: MongodbService;
  /** What stands before the source; only with `proxyOptions`, or under a face. Its faults end with each test. */
  readonly sourceProxy: WireProxy;
  /** What stands before the target. */
  readonly targetProxy: WireProxy;
  /** Past any proxy, as `to`. */
  readonly from: MongoClient;
  readonly to: MongoClient;
  /** The database of the test that runs. */
  readonly database: string;
  /** Runs `dualsync duplicate` from the source's database to the target's. */
  duplicate(...flags: string[]): Promise<CliResult>;
  /** Runs another command on the two, its arguments first; in a folder that stays, if one is given. */
  run(args: readonly string[], cwd?: string): Promise<CliResult>;
}

/**
 * Call at the top of a test file; the servers are there as soon as tests run. With `proxyOptions` the program always
 * goes through proxies; without, only when the run has a face (DUALSYNC_TEST_FACE).
 */
export function serverPair(
  sourceOptions: MongodbOptions = {},
  targetOptions: MongodbOptions = {},
  proxyOptions?: ProxyOptions,
): ServerPair {
  let servers: [FacedMongodb, FacedMongodb] | undefined;
  let clients: [MongoClient, MongoClient] | undefined;
  let count = 0;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined)
      throw new Error("servers are there only while tests run, and proxies only where asked for");
    return value;
  };
  const pair: ServerPair = {
    get source() {
      return started(servers)[0];
    },
    get target() {
      return started(servers)[1];
    },
    get sourceProxy() {
      return started(started(servers)[0].proxy);
    },
    get targetProxy() {
      return started(started(servers)[1].proxy);
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
    duplicate: (...flags) => pair.run(["duplicate", ...flags]),
    run([command = "", ...rest], cwd) {
      const env = {
        LIVE: withDatabase(pair.source.uri, pair.database),
        COPY: withDatabase(pair.target.uri, pair.database),
      };
      const args = [command, "--from", "env:LIVE", "--to", "env:COPY", ...rest];
      return dualsync(args, { env, ...(cwd === undefined ? {} : { cwd }) });
    },
  };
  beforeAll(async () => {
    const [source, target] = await Promise.all([
      startFaced(sourceOptions, proxyOptions),
      startFaced(targetOptions, proxyOptions),
    ]);
    servers = [source, target];
    const [from, to] = [new MongoClient(source.directUri), new MongoClient(target.directUri)];
    clients = [from, to];
    return async () => {
      await Promise.all([from.close(), to.close()]);
      await Promise.all([source.stop(), target.stop()]);
    };
  });
  beforeEach(() => {
    count++;
  });
  afterEach(async ({ task }) => {
    for (const { proxy } of servers ?? []) {
      if (proxy !== undefined && task.result?.state === "fail") console.log(`seed of a proxy: ${proxy.seed}`);
      proxy?.calm();
    }
    await Promise.all([pair.from.db(pair.database).dropDatabase(), pair.to.db(pair.database).dropDatabase()]);
  });
  return pair;
}
