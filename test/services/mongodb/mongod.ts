import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { MongoClient, MongoServerError } from "mongodb";
import { type StartedServer, startProcess } from "../process/service-process.ts";

const START_DEADLINE_MS = 60_000;
const REPLICA_SET = "rs0";
const ALREADY_INITIALIZED = 23;

export interface MongodOptions {
  readonly program: string;
  readonly directory: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Starts a real `mongod` as a replica set of one, and waits until it is primary. */
export async function startMongod({
  program,
  directory,
  port: wanted,
}: MongodOptions): Promise<StartedServer> {
  const port = wanted === 0 ? await freePort() : wanted;
  const host = `127.0.0.1:${port}`;
  const options = { replSet: REPLICA_SET, bind_ip: "127.0.0.1", port, dbpath: directory };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // A mongod lives on when its parent is gone, so it runs under a keeper.
  const keeper = join(import.meta.dirname, "../process/keeper.js");
  const child = await startProcess("mongod", { command: process.execPath, args: [keeper, program, ...args] });
  const { pid } = child.ready as { pid: number };
  const kill = async () => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.stop();
  };
  try {
    await becomePrimary(host, child.ended);
  } catch (error) {
    await kill();
    throw new Error(`mongod did not become primary. It wrote:\n${child.stderr()}`, { cause: error });
  }
  const stop = async () => {
    await shutDown(host);
    await child.stop();
  };
  return { uri: `mongodb://${host}/?replicaSet=${REPLICA_SET}`, port, stop, kill };
}

/** On a signal alone a primary waits 15 s for clients and secondaries, which is not worth a test's time. */
async function shutDown(host: string): Promise<void> {
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1_000,
    socketTimeoutMS: 5_000,
  });
  const command = { shutdown: 1, force: true, timeoutSecs: 0 };
  // The connection drops without an answer; and it may have been stopped or killed before.
  await client
    .db("admin")
    .command(command)
    .catch(() => {});
  await client.close();
}

async function becomePrimary(host: string, ended: Promise<void>): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: START_DEADLINE_MS,
  });
  // Without a server there is nothing to wait for: this fails what is under way.
  ended.then(() => client.close()).catch(() => {});
  try {
    const admin = client.db("admin");
    const config = { _id: REPLICA_SET, members: [{ _id: 0, host }] };
    await admin.command({ replSetInitiate: config }).catch((error: unknown) => {
      if (!(error instanceof MongoServerError) || error.code !== ALREADY_INITIALIZED) throw error;
    });
    while ((await admin.command({ hello: 1 })).isWritablePrimary !== true) {
      if (Date.now() > deadline) throw new Error("no primary within 60 s");
      await wait(50);
    }
  } finally {
    await client.close();
  }
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
