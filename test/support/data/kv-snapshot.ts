import type { RedisStatus } from "../../services/redis/resp.ts";

/** Runs a command of Redis, past what is tested. */
type RunPast = (...command: (string | number | Uint8Array)[]) => Promise<unknown>;

/** What a key holds, in texts that differ where two keys do. */
export interface KeyState {
  readonly type: string;
  readonly content: unknown;
  /** Milliseconds since 1970; -1: it stays. */
  readonly end: number;
}

const READ: Readonly<Record<string, readonly [string, ...(string | number)[]]>> = {
  string: ["GET"],
  hash: ["HGETALL"],
  list: ["LRANGE", 0, -1],
  set: ["SMEMBERS"],
  zset: ["ZRANGE", 0, -1, "WITHSCORES"],
  stream: ["XRANGE", "-", "+"],
};

/** Everything in a KV store, by names whose characters are bytes, in their order; without dualsync's own keys. */
export async function kvSnapshot(run: RunPast): Promise<Record<string, KeyState>> {
  const names = (await run("KEYS", "*")) as Uint8Array[];
  const found = await Promise.all(
    names.map(async (name) => [Buffer.from(name).toString("latin1"), await stateOf(run, name)] as const),
  );
  return Object.fromEntries(
    found.filter(([name]) => !name.startsWith("_dualsync")).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function stateOf(run: RunPast, key: Uint8Array): Promise<KeyState> {
  const { text: type } = (await run("TYPE", key)) as RedisStatus;
  const [command, ...rest] = READ[type] ?? ["GET"];
  const content = textsOf(await run(command, key, ...rest));
  return { type, content: inOneOrder(type, content), end: (await run("PEXPIRETIME", key)) as number };
}

function textsOf(reply: unknown): unknown {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("latin1");
  return Array.isArray(reply) ? reply.map(textsOf) : reply;
}

/** Members of sets and fields of hashes have no order. */
function inOneOrder(type: string, content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  if (type === "set") return content.toSorted();
  if (type !== "hash") return content;
  const fields = content.flatMap((field, at) =>
    at % 2 === 0 ? [[field, content[at + 1]] as [string, string]] : [],
  );
  return fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
