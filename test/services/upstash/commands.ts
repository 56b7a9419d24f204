import type { RedisConnection } from "../redis/connection.ts";
import type { RedisReply } from "../redis/resp.ts";
import { texts } from "./answers.ts";
import type { RestCommand } from "./request.ts";

/** What Redis itself says of a command. */
interface CommandFacts {
  readonly flags: ReadonlySet<string>;
  /** Where its keys are: first, last (negative: from the end), and from one to the next. 0: it has none. */
  readonly keys: readonly [first: number, last: number, step: number];
}

/** What of Redis's commands Upstash does not have. Those that change the server itself are among them. */
const NOT_AVAILABLE = new Set([
  ...["ACL", "ASKING", "BGREWRITEAOF", "BGSAVE", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FAILOVER"],
  ...["LASTSAVE", "LATENCY", "LCS", "LOLWUT", "MIGRATE", "MODULE", "MOVE", "OBJECT", "PFDEBUG", "PFSELFTEST"],
  ...[
    "PSYNC",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "REPLICAOF",
    "RESTORE-ASKING",
    "ROLE",
    "SAVE",
    "SHUTDOWN",
  ],
  ...["SLAVEOF", "SLOWLOG", "SORT", "SORT_RO", "SPUBLISH", "SUBSTR", "SWAPDB", "SYNC"],
]);

const NOT_OVER_REST = new Set([
  ...["AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PUNSUBSCRIBE", "QUIT"],
  ...["RESET", "SELECT", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE", "UNWATCH", "WATCH"],
]);

/** Commands that a token for reading may not use although they only read. */
const NOT_READ_ONLY = new Set(["KEYS", "SCAN", "RANDOMKEY"]);
/** Commands that it may use although Redis does not call them reading. */
const HARMLESS = new Set(["PING", "ECHO", "INFO", "TIME"]);

const NOT_BILLED = new Set(["AUTH", "INFO", "PING", "QUIT", "COMMAND"]);

export function nameOf([name]: RestCommand): string {
  return String(name).toUpperCase();
}

export function isBilled(name: string): boolean {
  return !NOT_BILLED.has(name);
}

/** Whether a command runs others, which are billed, too. */
export function runsScript(name: string): boolean {
  return /^(?:EVAL|EVALSHA|FCALL)(?:_RO)?$/.test(name);
}

export class CommandTable {
  readonly #facts: ReadonlyMap<string, CommandFacts>;

  constructor(facts: ReadonlyMap<string, CommandFacts>) {
    this.#facts = facts;
  }

  /** Why Upstash does not run this command over REST, whoever asks; undefined: it does. */
  refusal(command: RestCommand): string | undefined {
    const name = nameOf(command);
    if (NOT_OVER_REST.has(name)) return texts.notOverRest(name);
    const facts = this.#facts.get(name);
    if (facts === undefined || NOT_AVAILABLE.has(name)) return texts.notAvailable(name);
    const second = String(command[1]).toUpperCase();
    if (name === "MEMORY" && second !== "USAGE") return texts.notAvailable(`MEMORY ${second}`);
    if (facts.flags.has("blocking") && waits(name, command)) return texts.notOverRest(name);
    return undefined;
  }

  only(name: string, kind: "readonly" | "write"): boolean {
    return this.#facts.get(name)?.flags.has(kind) === true;
  }

  mayRead(name: string): boolean {
    return HARMLESS.has(name) || (this.only(name, "readonly") && !NOT_READ_ONLY.has(name));
  }

  /** Whether it may need room. What a script does is not known before. */
  grows(name: string): boolean {
    if (runsScript(name)) return !name.endsWith("_RO");
    return this.#facts.get(name)?.flags.has("denyoom") === true;
  }

  longestKey(command: RestCommand): number {
    const [first, last, step] = this.#facts.get(nameOf(command))?.keys ?? [0, 0, 0];
    if (first <= 0 || step <= 0) return 0;
    const end = last < 0 ? command.length + last : last;
    let longest = 0;
    for (let at = first; at <= end; at += step) longest = Math.max(longest, command[at]?.length ?? 0);
    return longest;
  }
}

/** XREAD and XREADGROUP wait only when they are asked to. */
function waits(name: string, command: RestCommand): boolean {
  return (
    !name.startsWith("XREAD") || command.some((argument) => /^block$/i.test(argument.toString("latin1")))
  );
}

/** Asks the server which commands it has. */
export async function readCommandTable(redis: Pick<RedisConnection, "run">): Promise<CommandTable> {
  const rows = (await redis.run("COMMAND")) as readonly (readonly RedisReply[])[];
  const facts = rows.map(([name, , flags, first, last, step]) => {
    const keys: CommandFacts["keys"] = [Number(first), Number(last), Number(step)];
    const named = (flags as readonly { text: string }[]).map(({ text }) => text);
    return [String(name).toUpperCase(), { flags: new Set(named), keys }] as const;
  });
  return new CommandTable(new Map(facts));
}
