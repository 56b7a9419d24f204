import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type ServiceProcess, startProcess } from "../process/service-process.ts";
import { connectRedis, type RedisConnection } from "./connection.ts";
import { redisCommand } from "./redis-program.ts";

const START_DEADLINE_MS = 60_000;

export interface RedisService extends Pick<RedisConnection, "run" | "exchange"> {
  /** `unix://` and the path of its socket: nobody else's programs can reach it. */
  readonly uri: string;
  /** What the server says of itself: "8.0.2". */
  readonly version: string;
  /** Another connection, which `stop` closes. */
  connect(): Promise<RedisConnection>;
  /** Removes all keys of all databases. */
  flush(): Promise<void>;
  /** Stops the server and removes its folder. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts an empty Redis with two databases, which keeps its data in memory alone. It ends with this process, even
 * when this process is killed. Throws with the server's own words when it is not ready within 60 s.
 */
export async function startRedis(): Promise<RedisService> {
  const directory = await mkdtemp(join(tmpdir(), "dualsync-redis-"));
  const removeData = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  try {
    const path = join(directory, "redis.sock");
    const server = await startServer(directory, path);
    const connections: RedisConnection[] = [];
    const connect = async () => {
      const connection = await connectRedis({ path });
      connections.push(connection);
      return connection;
    };
    const stop = async () => {
      await Promise.all(connections.splice(0).map((connection) => connection.close()));
      await server.stop();
      await removeData();
    };
    try {
      await accepting(path, server);
      const { run, exchange } = await connect();
      const version = /redis_version:(\S+)/.exec(String(await run("INFO", "server")))?.[1] ?? "";
      const flush = async () => void (await run("FLUSHALL"));
      return { uri: `unix://${path}`, version, run, exchange, connect, flush, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    await removeData();
    throw error;
  }
}

async function startServer(directory: string, path: string): Promise<ServiceProcess> {
  const settings = {
    port: 0,
    unixsocket: path,
    unixsocketperm: 700,
    dir: directory,
    databases: 2,
    save: "",
    appendonly: "no",
    daemonize: "no",
    loglevel: "warning",
  };
  const { command, args } = await redisCommand(
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
  );
  const keeper = join(import.meta.dirname, "../process/keeper.js");
  return startProcess("redis-server", {
    command: process.execPath,
    args: [keeper, "--remove", directory, command, ...args],
  });
}

async function accepting(path: string, server: ServiceProcess): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let ended = false;
  server.ended.then(() => (ended = true)).catch(() => {});
  for (;;) {
    try {
      const connection = await connectRedis({ path });
      await connection.run("PING");
      return await connection.close();
    } catch (error) {
      if (ended || Date.now() > deadline)
        throw new Error(`redis-server did not start. It wrote:\n${server.stderr()}`, { cause: error });
      await wait(10);
    }
  }
}
