import type { ActiveFault, Occasion } from "../http/faults.ts";
import { startHttp } from "../http/http-server.ts";
import { type RedisService, startRedis } from "../redis/redis.ts";
import { readCommandTable } from "./commands.ts";
import { Database, type UpstashSettings } from "./database.ts";
import { Edge } from "./edge.ts";
import type { Effect, Fault, Incoming, Recorded } from "./faults.ts";

export interface UpstashOptions extends Partial<UpstashSettings> {
  /** Server for its data; its first database is used, and the other for `lag`. Default: one of its own. */
  readonly redis?: RedisService;
}

export interface Upstash {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** May do everything. */
  readonly token: string;
  /** May only read, and may not SCAN. */
  readonly readOnlyToken: string;
  /** The server behind it: nothing is billed there. */
  readonly redis: RedisService;
  readonly settings: UpstashSettings;
  /** All that came, in order. */
  readonly requests: readonly Recorded[];
  /** How many commands were billed so far: in pipelines, transactions and scripts each one. */
  readonly billed: number;
  /** Makes something happen to the requests to come. */
  fail(fault: Fault): ActiveFault;
  /** Commands that only read are answered as of now, but for clients whose sync token says that they saw more. */
  lag(on?: Occasion<Incoming>, how?: Effect["stale"]): Promise<ActiveFault>;
  /** May be called again. */
  stop(): Promise<void>;
}

const DEFAULTS: UpstashSettings = {
  maxRequestBytes: 10 * 1024 * 1024,
  maxKeyBytes: 32 * 1024,
  quota: undefined,
  full: false,
  keyspaceInfo: true,
  lacks: [],
};

/** Starts a REST edge over a real Redis that answers as Upstash's does. */
export async function startUpstash({ redis: given, ...options }: UpstashOptions = {}): Promise<Upstash> {
  const redis = given ?? (await startRedis());
  const stopOwn = async () => {
    if (given === undefined) await redis.stop();
  };
  try {
    const [leader, replica] = [await redis.connect(), await redis.connect()];
    await replica.run("SELECT", 1);
    const settings: UpstashSettings = { ...DEFAULTS, ...options };
    const database = new Database(leader, replica, await readCommandTable(leader), settings);
    const token = `standard_${process.pid}`;
    const readOnlyToken = `read_only_${process.pid}`;
    const edge = new Edge(database, settings, { standard: token, readOnly: readOnlyToken });
    const http = await startHttp(
      (request, response) => edge.serve(request, response),
      () => Promise.all([leader.close(), replica.close()]),
    );
    const stop = async () => {
      await http.stop();
      await stopOwn();
    };
    return {
      ...{ url: `http://127.0.0.1:${http.port}`, token, readOnlyToken, redis, settings },
      requests: edge.requests,
      get billed() {
        return database.billed;
      },
      fail: (fault) => edge.faults.add(fault),
      lag: async (on = {}, stale = true) => {
        await database.copyToReplica();
        return edge.faults.add({ ...on, stale });
      },
      stop,
    };
  } catch (error) {
    await stopOwn();
    throw error;
  }
}
