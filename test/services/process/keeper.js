/**
 * Runs a server that does not notice when the process that wanted it is gone, and ends it then.
 *
 *     node keeper.js [--as UID:GID] [--stop-with SIGNAL] [--remove FOLDER] PROGRAM ARGUMENT...
 *
 * Prints `{"pid":N}`, the program's process id, at once. The program's output goes to standard error. Passes
 * SIGTERM on, and sends it when its own standard input ends; kills the program when that does not help. Ends
 * with the program's status.
 *
 * `--as` runs the program under another account (root only), `--stop-with` names the signal to send in place of
 * SIGTERM, `--remove` a folder to remove when the program has ended.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

/** Less than a caller waits for this process itself: were it killed, the program would live on. */
const PATIENCE_MS = 10_000;

const given = process.argv.slice(2);
/** @type {Record<string, string>} */
const options = {};
while (given[0]?.startsWith("--")) {
  const [name, value] = given.splice(0, 2);
  options[String(name)] = String(value);
}
const [program, ...args] = given;
if (program === undefined) throw new Error("usage: keeper.js [OPTION VALUE]... PROGRAM ARGUMENT...");

const [uid, gid] = options["--as"]?.split(":").map(Number) ?? [];
const account = uid === undefined || gid === undefined ? {} : { uid, gid };
const signal = /** @type {NodeJS.Signals} */ (options["--stop-with"] ?? "SIGTERM");

const child = spawn(program, args, { stdio: ["ignore", 2, 2], ...account });
child.on("spawn", () => process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`));
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on("exit", (code) => {
  const folder = options["--remove"];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.exit(code ?? 1);
});

function stop() {
  child.kill(signal);
  setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
}
process.on("SIGTERM", stop);
process.on("SIGINT", () => {}); // Ctrl-C reaches the program too.
process.stdin.on("close", stop);
process.stdin.resume();
