import {
  type ClientSession,
  type Db,
  type Document,
  MongoClient,
  ObjectId,
  type RunCommandCursor,
} from "mongodb";
import { DualsyncError } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import { type RetryPolicy, retry, retryPolicy } from "../../wrappers/retry.ts";
import { failure } from "../failures/failures.ts";
import { isTransient, toDualsyncError } from "../failures/faults.ts";
import { boundMessages } from "../writing/framing.ts";
import { patchSocketClose } from "./closing-sockets.ts";
import { CommandSlots } from "./command-slots.ts";
import { DEADLINE, withDeadline } from "./deadline.ts";
import { BatchPace } from "./pace.ts";
import { resolveSrv } from "./srv.ts";

export interface ServerOptions {
  readonly uri: string;
  readonly database: string;
  readonly role: StoreRole;
  /** Host and database, for people. */
  readonly label: string;
  readonly retries?: number | undefined;
  readonly brief?: true | undefined;
  /** Milliseconds until an ordinary command must be answered. */
  readonly deadline?: number | undefined;
  /** Whose cursors fetch batches: the driver's are needed behind routers and taken there by themselves. */
  readonly cursors?: "own" | "driver";
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** What is being tried, as "read orders": used in errors. */
  readonly doing: string;
  /** The one collection that the command is about: a refusal may be the matter of that one alone. */
  readonly collection?: string | undefined;
  readonly session?: ClientSession | undefined;
  /** Sub-documents of the answer as raw bytes. */
  readonly raw?: boolean;
  readonly database?: "admin";
  /** False: no second try (the caller retries in its own way). */
  readonly retry?: boolean;
  /** Milliseconds until the answer must be there; Infinity for work that takes as long as it takes (index builds). */
  readonly deadline?: number | undefined;
}

/** Milliseconds for the first question, with all that comes before it: finding the server, TLS, authentication. */
const GREETING_DEADLINE = 25_000;
/** Every MongoDB takes documents of 16 MB; a server that announces less room for a message does not mean it. */
const LEAST_MESSAGE_BYTES = 17_000_000;

/** Connections to one server unless the URI says, and so the commands that are under way at once. */
const MOST_CONNECTIONS = 32;

/** How long to look for a server, and to wait for a connection, unless the URI says. Milliseconds. */
const WAITS = { serverSelectionTimeoutMS: 10_000, connectTimeoutMS: 10_000 };
/** The same where it is only to be seen whether the server serves now. */
const BRIEF_WAITS = { serverSelectionTimeoutMS: 4_000, connectTimeoutMS: 4_000 };

/** Those of the options that the URI does not name itself: what is given beside a URI outweighs it. */
function unnamed(uri: string, options: Readonly<Record<string, number>>): Record<string, number> {
  const named = (name: string): boolean => new RegExp(`[?&]${name}=`, "i").test(uri);
  return Object.fromEntries(Object.entries(options).filter(([name]) => !named(name)));
}

/** Answer of `hello`, as far as it is used. */
export interface Hello {
  readonly maxWireVersion: number;
  readonly sessions: boolean;
  /** A router of a sharded cluster. */
  readonly router: boolean;
  readonly writable: boolean;
  /** Largest message that the server takes, in bytes. */
  readonly maxMessageBytes: number;
  /** Of the server process, in hex; undefined where it does not say. */
  readonly instance?: string;
}

function instanceOf(topologyVersion: unknown): Pick<Hello, "instance"> {
  const { processId } = (topologyVersion ?? {}) as { processId?: unknown };
  return processId instanceof ObjectId ? { instance: processId.toHexString() } : {};
}

/** One database on one MongoDB server or cluster: runs commands, repeats what may be repeated, names what failed. */
export class Server {
  readonly label: string;
  readonly role: StoreRole;
  readonly policy: RetryPolicy;
  readonly deadline: number;
  /** How much to ask for in one round trip. */
  readonly readPace = new BatchPace();
  /** How much to send in one round trip. */
  readonly writePace = new BatchPace();
  readonly #cursors: ServerOptions["cursors"];
  readonly #client: MongoClient;
  readonly #db: Db;
  /** A command that waited for a connection would use up its time. */
  readonly #slots: CommandSlots;
  #hello: Hello | undefined;

  private constructor(client: MongoClient, options: ServerOptions) {
    this.#client = client;
    this.#db = client.db(options.database);
    // 0 is as many as there are commands.
    this.#slots = new CommandSlots(client.options.maxPoolSize || MOST_CONNECTIONS);
    this.label = options.label;
    this.role = options.role;
    this.policy = retryPolicy(options.retries);
    this.deadline = options.deadline ?? DEADLINE;
    this.#cursors = options.cursors;
  }

  /** Connects and says hello. @throws DualsyncError source/target/denied when the server cannot be used */
  static async open(options: ServerOptions, signal: AbortSignal): Promise<Server> {
    boundMessages();
    patchSocketClose();
    let client: MongoClient;
    try {
      client = new MongoClient(options.uri, {
        appName: "dualsync",
        ...unnamed(options.uri, {
          ...(options.brief === true ? BRIEF_WAITS : WAITS),
          maxPoolSize: MOST_CONNECTIONS,
        }),
        readPreference: "primary",
      });
    } catch (error) {
      throw new DualsyncError(
        "usage",
        `The URI of the ${options.role} ${options.label} is not valid for the MongoDB driver.`,
        {
          hint: "Check the options after the question mark in the URI.",
          cause: error,
        },
      );
    }
    const server = new Server(client, options);
    try {
      await resolveSrv(options.uri, signal).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : server.fault(error, "connect");
      });
      await server.#greet(signal);
      return server;
    } catch (error) {
      await client.close().catch(() => undefined); // the first error is the one to report
      throw error;
    }
  }

  get database(): string {
    return this.#db.databaseName;
  }

  get hello(): Hello {
    if (this.#hello === undefined)
      throw new DualsyncError("bug", "The server was used before the handshake.");
    return this.#hello;
  }

  async #greet(signal: AbortSignal): Promise<void> {
    // Once: the driver itself has looked for a server until its time was up.
    const deadline = GREETING_DEADLINE;
    const options = { signal, doing: "connect", database: "admin", retry: false, deadline } as const;
    const answer = await this.run({ hello: 1 }, options).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : this.fault(error, "connect");
    });
    const place = { role: this.role, label: this.label, doing: "connect" };
    const maxMessageBytes = Number(answer.maxMessageSizeBytes ?? 48_000_000);
    if (!(maxMessageBytes >= LEAST_MESSAGE_BYTES))
      throw failure("not-understood", place, undefined, ": it announces impossible limits");
    this.#hello = {
      maxWireVersion: Number(answer.maxWireVersion),
      sessions:
        answer.logicalSessionTimeoutMinutes !== undefined && answer.logicalSessionTimeoutMinutes !== null,
      router: answer.msg === "isdbgrid",
      writable: answer.isWritablePrimary === true,
      maxMessageBytes,
      ...instanceOf(answer.topologyVersion),
    };
    if (!this.#hello.writable) throw failure("not-primary", place);
  }

  /** A session for one cursor, where the server has sessions. */
  startSession(): ClientSession | undefined {
    return this.hello.sessions ? this.#client.startSession() : undefined;
  }

  /** Whether the next batch of a cursor must be asked for where the first came from: other routers do not know it. */
  get pinsCursors(): boolean {
    return this.#cursors === undefined ? this.hello.router : this.#cursors === "driver";
  }

  /** A cursor of the driver, which stays with one server; nothing is sent before its first batch is asked for. */
  driverCursor(command: Document): RunCommandCursor {
    return this.#db.runCursorCommand({ ...command }, { readPreference: "primary", raw: true });
  }

  /**
   * Runs one command on the primary. Transient faults are tried again unless `retry` is false: only commands that
   * are harmless twice may come here with it on.
   */
  async run(command: Document, options: RunOptions): Promise<Document> {
    const once = (): Promise<Document> => this.#once(command, options);
    try {
      if (options.retry === false) return await once();
      return await retry(this.policy, options.signal, isTransient, once);
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason;
      if (options.retry === false) throw error;
      throw this.fault(error, options.doing, options.collection);
    }
  }

  async #once(command: Document, options: RunOptions): Promise<Document> {
    const db = options.database === "admin" ? this.#client.db("admin") : this.#db;
    const deadline = options.deadline ?? this.deadline;
    const release = await this.#slots.take(options.signal);
    try {
      // The driver writes `$db` and takes sequences out of the command it is given: give it a copy each time.
      return await withDeadline(options.signal, deadline, (signal) =>
        db.command({ ...command }, {
          readPreference: "primary",
          signal,
          ...(options.session === undefined ? {} : { session: options.session }),
          ...(options.raw === true ? { raw: true } : { promoteValues: false, bsonRegExp: true }),
        } as object),
      );
    } finally {
      release();
    }
  }

  /** Names a fault for people; `collection` as in `RunOptions`. */
  fault(error: unknown, doing: string, collection?: string): DualsyncError {
    return toDualsyncError(error, this.role, this.label, doing, collection);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
