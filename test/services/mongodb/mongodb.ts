import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { MongoClient } from "mongodb";
import { startEmbedded } from "./embedded.ts";
import { startMongod } from "./mongod.ts";

export interface MongodbOptions {
  /** Serve what `rawDocument` wraps as the bytes it wraps. Needs the embedded engine, which is then taken. */
  readonly rawDocuments?: boolean;
  /** Add a cluster time to each answer, as replica sets do. Needs the embedded engine, too. */
  readonly clusterTime?: boolean;
  /** Refuse commands of this name or with this field, as for want of a right (13). Needs the embedded engine, too. */
  readonly deny?: readonly string[];
  /** Data folder to use, and to leave in place. Default: a new one, removed by `stop`. */
  readonly directory?: string;
  /** Port to listen on, to come back after `kill` where it was. Default: a free one. */
  readonly port?: number;
}

export interface MongodbService {
  /** Address without a database; see `withDatabase`. */
  readonly uri: string;
  readonly port: number;
  /** The folder of its data files. */
  readonly directory: string;
  /** "mongod" is a replica set of one; "embedded" looks like a standalone server without sessions. */
  readonly provider: "mongod" | "embedded";
  /** What the server says in `buildInfo`. */
  readonly version: string;
  /** Stops the server cleanly and removes its data folder, unless that was given. May be called again. */
  stop(): Promise<void>;
  /** Ends the server at once, as a power cut would. The data stays until `stop`. */
  kill(): Promise<void>;
}

/**
 * Starts a MongoDB on a free port of this machine: the `mongod` of `DUALSYNC_TEST_MONGOD` or of PATH, else
 * the embedded engine. It ends with this process, even when this process is killed. Throws with the server's
 * own words when it is not ready within 60 s.
 */
export async function startMongodb(options: MongodbOptions = {}): Promise<MongodbService> {
  const altered = options.rawDocuments === true || options.clusterTime === true || options.deny !== undefined;
  const program = altered ? undefined : findMongod();
  const provider = program === undefined ? "embedded" : "mongod";
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "dualsync-mongodb-")));
  const temporary = options.directory === undefined;
  const removeData = async () => {
    if (temporary) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const place = { directory, port: options.port ?? 0 };
    const server =
      program === undefined
        ? await startEmbedded({
            ...place,
            temporary,
            rawDocuments: options.rawDocuments ?? false,
            clusterTime: options.clusterTime ?? false,
            deny: options.deny ?? [],
          })
        : await startMongod({ ...place, program });
    const stop = async () => {
      await server.stop();
      await removeData();
    };
    const version = await serverVersion(server.uri).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    const { uri, port } = server;
    return { uri, port, directory, provider, version, stop, kill: () => server.kill() };
  } catch (error) {
    await removeData();
    throw error;
  }
}

/** Path of the `mongod` to use, if there is one. */
export function findMongod(): string | undefined {
  const given = process.env.DUALSYNC_TEST_MONGOD;
  if (given !== undefined && given !== "") return given;
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const name = process.platform === "win32" ? "mongod.exe" : "mongod";
  return folders.map((folder) => join(folder, name)).find(existsSync);
}

/** The URI with `name` as its database, in place of any that it has. */
export function withDatabase(uri: string, name: string): string {
  const [, server, query] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)[^?]*(\?.*)?$/.exec(uri) ?? [];
  if (server === undefined) throw new Error("not the URI of a MongoDB");
  return `${server}/${encodeURIComponent(name)}${query ?? ""}`;
}

async function serverVersion(uri: string): Promise<string> {
  const client = new MongoClient(uri);
  try {
    const { version } = await client.db("admin").command({ buildInfo: 1 });
    return String(version);
  } finally {
    await client.close();
  }
}
