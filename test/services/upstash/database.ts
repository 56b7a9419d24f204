import type { RedisConnection } from "../redis/connection.ts";
import { type RedisCommand, RedisFailure, type RedisReply } from "../redis/resp.ts";
import { texts } from "./answers.ts";
import { type CommandTable, isBilled, nameOf, runsScript } from "./commands.ts";
import type { Effect, Recorded } from "./faults.ts";
import { replySize } from "./reply.ts";
import { type Call, Refused, type RestCommand } from "./request.ts";
import { Scans } from "./scan.ts";

/** What can also be changed while the service runs. */
export interface UpstashSettings {
  /** Longer bodies of requests, and results that hold more, are refused. Default: 10 MB. */
  maxRequestBytes: number;
  /** Longer keys are refused. Default: 32 KB. */
  maxKeyBytes: number;
  /** Once so many commands were billed, all that are billed are refused. Default: no end. */
  quota: number | undefined;
  /** Whether commands that may need room are refused. Default: no. */
  full: boolean;
  /** Whether INFO tells how many keys there are, and how many of them expire. Default: yes. */
  keyspaceInfo: boolean;
  /** Names of commands that it does not have, in capitals. Default: none that Upstash has. */
  lacks: readonly string[];
}

/** Who asks, and what is to happen then. */
export interface Access {
  readonly role: Recorded["role"];
  readonly effect: Effect;
  /** Reads come from the replica. */
  readonly stale: boolean;
  /** Is told how many commands were billed. */
  readonly bill: (commands: number) => void;
}

const COMMAND_STATISTICS: RedisCommand = ["INFO", "commandstats"];

/** Runs commands on a real Redis as Upstash would, and counts what is billed. */
export class Database {
  /** All commands billed so far. */
  billed = 0;
  /** How many writing commands there were: a moment in its history. */
  position = 0;
  /** The moment at which the replica stands. */
  replicaPosition = 0;
  readonly #leader: RedisConnection;
  readonly #replica: RedisConnection;
  readonly #table: CommandTable;
  readonly #settings: UpstashSettings;
  readonly #scans = new Scans();

  /** `replica` is a connection to another database of the same server. */
  constructor(
    leader: RedisConnection,
    replica: RedisConnection,
    table: CommandTable,
    settings: UpstashSettings,
  ) {
    this.#leader = leader;
    this.#replica = replica;
    this.#table = table;
    this.#settings = settings;
  }

  /** Whether a replica may answer all of it. */
  isReplicas({ kind, commands }: Call): boolean {
    return kind !== "transaction" && commands.every((command) => this.#mayBeStale(nameOf(command)));
  }

  #mayBeStale(name: string): boolean {
    return ["INFO", "PING"].includes(name) || this.#table.only(name, "readonly");
  }

  /** One reply a command. Throws when a transaction is discarded as a whole. */
  run({ kind, commands }: Call, access: Access): Promise<RedisReply[]> {
    if (kind === "transaction") return this.#transaction(commands, access);
    // All are sent before the first is answered, in order.
    return Promise.all(commands.map((command, place) => this.#one(command, place, access)));
  }

  /** Brings the replica to the moment of now, where it stays. */
  async copyToReplica(): Promise<void> {
    const copy = "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', k, k, 'DB', 1) end";
    await this.#replica.run("FLUSHDB");
    this.replicaPosition = this.position;
    await this.#leader.run("EVAL", copy, 0);
  }

  async #one(command: RestCommand, place: number, access: Access): Promise<RedisReply> {
    const refusal = scripted(access, place) ?? this.#refusal(command, access);
    if (refusal !== undefined) return new RedisFailure(refusal);
    const name = nameOf(command);
    this.#account(name, access);
    const isFromReplica = access.stale && this.#mayBeStale(name);
    const redis = isFromReplica ? this.#replica : this.#leader;
    if (Scans.isScan(name)) return this.#fitting(await this.#scans.run(redis, command, access.effect.pages));
    if (runsScript(name)) return this.#fitting(await this.#script(command, access));
    const [reply = null] = await redis.exchange([ofOneDatabase(command)]);
    return this.#fitting(this.#shown(name, reply, isFromReplica));
  }

  /** Redis counts what a script calls; within a transaction it counts nothing else. */
  async #script(command: RestCommand, access: Access): Promise<RedisReply> {
    const counted = [["MULTI"], COMMAND_STATISTICS, command, COMMAND_STATISTICS, ["EXEC"]];
    const replies = await this.#leader.exchange(counted);
    const done = replies.at(-1);
    if (!Array.isArray(done)) return replies[2] ?? null;
    const [before, reply = null, after] = done as RedisReply[];
    this.#bill(calls(after) - calls(before) - 1, access);
    return reply;
  }

  async #transaction(commands: readonly RestCommand[], access: Access): Promise<RedisReply[]> {
    for (const command of commands) {
      const refusal = this.#refusal(command, access);
      if (refusal !== undefined) throw new Refused(400, refusal);
    }
    const failures = commands.map((_, place) => scripted(access, place));
    const carried = commands.filter((_, place) => failures[place] === undefined);
    const counting = carried.some((command) => runsScript(nameOf(command))) ? [COMMAND_STATISTICS] : [];
    const all = [["MULTI"], ...counting, ...carried.map(ofOneDatabase), ...counting, ["EXEC"]];
    const done = (await this.#leader.exchange(all)).at(-1);
    if (!Array.isArray(done)) throw new Refused(400, (done as RedisFailure).message);
    const results = (done as RedisReply[]).slice(counting.length, done.length - counting.length);
    for (const command of carried) this.#account(nameOf(command), access);
    if (counting.length > 0) {
      const own = carried.filter((command) => isBilled(nameOf(command))).length;
      this.#bill(calls(done.at(-1)) - calls(done[0]) - own, access);
    }
    return failures.map((failure, place) => {
      if (failure !== undefined) return new RedisFailure(failure);
      return this.#fitting(this.#shown(nameOf(commands[place] ?? []), results.shift() ?? null));
    });
  }

  #refusal(command: RestCommand, { role }: Access): string | undefined {
    const name = nameOf(command);
    const { quota, full, lacks, maxKeyBytes } = this.#settings;
    const unknown = lacks.includes(name) ? texts.notAvailable(name) : this.#table.refusal(command);
    if (unknown !== undefined) return unknown;
    if (role === "read-only" && !this.#table.mayRead(name)) return texts.noPermission(name);
    if (quota !== undefined && this.billed >= quota && isBilled(name)) return texts.monthlyQuota(quota);
    if (full && this.#table.grows(name)) return texts.capacityQuota();
    const longest = this.#table.longestKey(command);
    return longest > maxKeyBytes ? texts.keySize(maxKeyBytes, longest) : undefined;
  }

  #bill(commands: number, access: Access): void {
    this.billed += commands;
    access.bill(commands);
  }

  #account(name: string, access: Access): void {
    if (isBilled(name)) this.#bill(1, access);
    if (this.#table.only(name, "write") || runsScript(name)) this.position++;
  }

  /** Whoever asks sees one database, which is called the first. */
  #shown(name: string, reply: RedisReply, isFromReplica = false): RedisReply {
    if (name !== "INFO" || !Buffer.isBuffer(reply)) return reply;
    const [own, other] = isFromReplica ? ["db1:", "db0:"] : ["db0:", "db1:"];
    const lines = reply.toString("utf8").split("\r\n");
    const { keyspaceInfo } = this.#settings;
    const shown = lines.filter((line) => !line.startsWith(other) && (keyspaceInfo || !line.startsWith(own)));
    return Buffer.from(shown.map((line) => line.replace(/^db1:/, "db0:")).join("\r\n"));
  }

  #fitting(reply: RedisReply): RedisReply {
    const size = replySize(reply);
    const { maxRequestBytes } = this.#settings;
    return size > maxRequestBytes ? new RedisFailure(texts.requestSize(maxRequestBytes, size)) : reply;
  }
}

/** The other database of the server is not to be seen. */
function ofOneDatabase(command: RestCommand): RestCommand {
  return nameOf(command) === "FLUSHALL" ? command.with(0, Buffer.from("FLUSHDB")) : command;
}

function scripted({ effect: { items } }: Access, place: number): string | undefined {
  if (items === undefined) return undefined;
  const { at, error } = items;
  const places = typeof at === "number" ? [at] : at;
  return places === undefined || places.includes(place) ? error : undefined;
}

/** How many billed commands Redis has run so far. */
function calls(statistics: RedisReply | undefined): number {
  const lines = String(statistics).matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm);
  return [...lines]
    .filter(([, name = ""]) => isBilled(name.toUpperCase()))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
