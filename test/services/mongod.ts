import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { MongoClient, MongoServerError } from "mongodb";
import { type StartedServer, startProcess } from "./service-process.ts";

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
  const args = [
    "--replSet",
    REPLICA_SET,
    "--bind_ip",
    "127.0.0.1",
    "--port",
    String(port),
    "--dbpath",
    directory,
  ];
  // A mongod lives on when its parent is gone, so it runs under a keeper.
  const keeper = join(import.meta.dirname, "keeper.js");
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
    await becomePrimary(host);
  } catch (error) {
    await kill();
    throw new Error(`mongod did not become primary: ${child.stderr()}`, { cause: error });
  }
  return { uri: `mongodb://${host}/?replicaSet=${REPLICA_SET}`, port, stop: child.stop, kill };
}

async function becomePrimary(host: string): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: START_DEADLINE_MS,
  });
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
