/**
 * Ends commands whose connection closes while they are on their way out. The driver writes to a socket that is being
 * closed, learns that it is full, and waits for ever for it to drain; when that is the command with which it watches
 * a server, it never finds that server again. This looks at the socket first, and ends the wait when it closes. Like
 * `wire.ts` it uses an internal of the driver, and does nothing where that looks different.
 */
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { MongoNetworkError } from "mongodb";

interface Connection {
  readonly socket?: Socket;
  onError?(error: Error): void;
}

type WriteCommand = (this: Connection, command: unknown, options: unknown) => Promise<unknown>;

let isPatched = false;

/** From now on no command of this process waits for a socket that is gone. */
export function patchSocketClose(): void {
  if (isPatched) return;
  isPatched = true;
  const internals: unknown = createRequire(import.meta.url)("mongodb/lib/cmap/connection");
  const connection = (
    internals as { Connection?: { prototype?: { writeCommand?: WriteCommand } } } | undefined
  )?.Connection?.prototype;
  const original = connection?.writeCommand;
  if (connection === undefined || typeof original !== "function") return;
  connection.writeCommand = async function (command, options) {
    const { socket } = this;
    if (socket === undefined) return await original.call(this, command, options);
    if (socket.destroyed) {
      const error = closed();
      this.onError?.(error);
      throw error;
    }
    return await unlessClosed(socket, () => original.call(this, command, options));
  };
}

async function unlessClosed<T>(socket: Socket, write: () => Promise<T>): Promise<T> {
  let onClose: () => void = () => undefined;
  const closing = new Promise<never>((_, reject) => {
    onClose = () => reject(closed());
  });
  socket.once("close", onClose);
  try {
    return await Promise.race([write(), closing]);
  } finally {
    socket.off("close", onClose);
  }
}

function closed(): MongoNetworkError {
  return new MongoNetworkError("the connection was closed while a command was sent");
}
