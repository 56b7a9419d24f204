import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { listening } from "../listening.ts";

export interface ThrottledRelay {
  readonly uri: string;
  stop(): Promise<void>;
}

/** A thin line to a server on this machine: so many bytes a second each way, shared by all connections. */
export async function startThrottledRelay(port: number, bytesPerSecond: number): Promise<ThrottledRelay> {
  const sockets = new Set<Socket>();
  const [up, down] = [new Line(bytesPerSecond), new Line(bytesPerSecond)];
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const [from, to, line] of [
      [client, upstream, up],
      [upstream, client, down],
    ] as const) {
      sockets.add(from);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("error", () => to.destroy());
      pump(from, to, line).catch(() => to.destroy());
    }
  });
  const own = await listening(server);
  return {
    uri: `mongodb://127.0.0.1:${own}/?directConnection=true`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

async function pump(from: Socket, to: Socket, line: Line): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    await line.carry(chunk.length);
    if (to.destroyed) return;
    to.write(chunk);
  }
}

class Line {
  readonly #rate: number;
  #free = 0;

  constructor(bytesPerSecond: number) {
    this.#rate = bytesPerSecond / 1e3;
  }

  async carry(bytes: number): Promise<void> {
    const now = performance.now();
    this.#free = Math.max(this.#free, now) + bytes / this.#rate;
    await delay(this.#free - now);
  }
}
