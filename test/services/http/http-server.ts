import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listening } from "../listening.ts";

export interface HttpServer {
  readonly port: number;
  /** Can be called again. */
  stop(): Promise<void>;
}

/** Serves on a free port of this machine; a request that `serve` fails at loses its connection. `release` follows the first stop. */
export async function startHttp(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
  release: () => Promise<unknown>,
): Promise<HttpServer> {
  const server = createServer({ maxHeaderSize: 128 * 1024, keepAlive: true }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const port = await listening(server);
  return {
    port,
    stop: async () => {
      if (!server.listening) return;
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      await release();
    },
  };
}
