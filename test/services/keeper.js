/**
 * Runs a server that does not notice when the process that wanted it is gone, and ends it then.
 *
 *     node keeper.js PROGRAM ARGUMENT...
 *
 * Prints `{"pid":N}`, the program's process id, at once. The program's output goes to standard error. Passes
 * SIGTERM on, and sends it when its own standard input ends; kills the program when that does not help. Ends
 * with the program's status.
 */
import { spawn } from "node:child_process";

/** Less than a caller waits for this process itself: were it killed, the program would live on. */
const PATIENCE_MS = 10_000;

const [program, ...args] = process.argv.slice(2);
if (program === undefined) throw new Error("usage: keeper.js PROGRAM ARGUMENT...");

const child = spawn(program, args, { stdio: ["ignore", 2, 2] });
child.on("spawn", () => process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`));
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));

function stop() {
  child.kill();
  setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
}
process.on("SIGTERM", stop);
process.on("SIGINT", () => {}); // Ctrl-C reaches the program too.
process.stdin.on("close", stop);
process.stdin.resume();
