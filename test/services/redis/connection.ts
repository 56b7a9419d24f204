import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { encodeCommand, type RedisCommand, RedisFailure, type RedisReply, ReplyReader } from "./resp.ts";

interface Waiting {
  readonly resolve: (reply: RedisReply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection. Commands are executed in the order in which they were given, and nobody else's come between those of one call. */
export interface RedisConnection {
  /** Executes one command. Throws what it was answered with if that is a failure. */
  run(...command: RedisCommand): Promise<RedisReply>;
  /** Executes commands, sent at once. Failures are among the replies. */
  exchange(commands: readonly RedisCommand[]): Promise<RedisReply[]>;
  close(): Promise<void>;
}

/** Connects, and throws when there is no server. */
export async function connectRedis(address: NetConnectOpts): Promise<RedisConnection> {
  const socket = connect(address);
  const waiting: Waiting[] = [];
  const reader = new ReplyReader();
  await once(socket, "connect");
  const fail = (error: Error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  socket.on("data", (chunk) => {
    for (const reply of reader.read(chunk)) waiting.shift()?.resolve(reply);
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection to Redis has ended")));
  const exchange: RedisConnection["exchange"] = async (commands) => {
    if (socket.destroyed) throw new Error("the connection to Redis has ended");
    const replies = commands.map(
      () => new Promise<RedisReply>((resolve, reject) => waiting.push({ resolve, reject })),
    );
    send(socket, commands);
    return Promise.all(replies);
  };
  const run: RedisConnection["run"] = async (...command) => {
    const [reply] = await exchange([command]);
    if (reply instanceof RedisFailure) throw reply;
    return reply ?? null;
  };
  const close = async () => {
    if (socket.destroyed) return;
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
  };
  return { run, exchange, close };
}

/** What is given within one turn of the event loop goes out together. */
function send(socket: Socket, commands: readonly RedisCommand[]): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(Buffer.concat(commands.map(encodeCommand)));
}
