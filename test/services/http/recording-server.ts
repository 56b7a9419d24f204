import { createServer, type IncomingHttpHeaders } from "node:http";
import { listening } from "../listening.ts";

export interface RecordingServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** All that came, whole. */
  readonly requests: readonly {
    readonly method: string;
    readonly target: string;
    readonly headers: IncomingHttpHeaders;
  }[];
  stop(): Promise<void>;
}

/** A host that a key is not for: it answers `[]` to everything, and remembers what it was sent. */
export async function startRecording(): Promise<RecordingServer> {
  const requests: RecordingServer["requests"][number][] = [];
  const server = createServer(({ method = "", url = "", headers }, response) => {
    requests.push({ method, target: url, headers });
    response.writeHead(200, { "Content-Type": "application/json; charset=utf-8" }).end("[]");
  });
  const port = await listening(server);
  const stop = async () => {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}`, requests, stop };
}
