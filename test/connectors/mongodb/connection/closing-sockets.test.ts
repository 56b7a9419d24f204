import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import { never } from "../../../support/signal.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

/** The sockets that this process opens from now on. */
function watchSockets() {
  const sockets: Socket[] = [];
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe("net.client.socket", onSocket);
  return { sockets, stop: () => unsubscribe("net.client.socket", onSocket) };
}

/** Lets the next write to this socket find it closed. */
function closeAtNextWrite(socket: Socket): void {
  const write = socket.write;
  socket.write = function (this: Socket, ...args: unknown[]) {
    socket.write = write;
    socket.destroy();
    return write.apply(this, args as Parameters<typeof write>);
  } as typeof write;
}

it("a command is sent again when its connection closes while it is being sent", {
  timeout: 15_000,
}, async () => {
  const server = await sharedMongodb();
  const { sockets, stop } = watchSockets();
  const options = { uri: server.uri, database: "d", role: "source", label: "test" } as const;
  const store = await mongodb(options, never);
  expect(sockets.length).toBeGreaterThan(1);
  for (const socket of sockets) closeAtNextWrite(socket);
  // Each connection that is there breaks in this way, including those with which the driver watches the server.
  expect(await store.count("orders", {}, never)).toBe(0);
  stop();
  await store.close();
  await server.stop();
});
