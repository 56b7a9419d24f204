/**
 * Runs a server that does not notice when the process that wanted it is gone, and ends it then.
 *
 *     node keeper.js PROGRAM ARGUMENT...
 *
 * Prints `{"pid":N}`, the program's process id, at once. The program's output goes to standard error. Passes
 * SIGTERM on, sends it too when its own standard input ends, and ends with the program's status.
 */
import { spawn } from "node:child_process";

const [program, ...args] = process.argv.slice(2);
if (program === undefined) throw new Error("usage: keeper.js PROGRAM ARGUMENT...");

const child = spawn(program, args, { stdio: ["ignore", 2, 2] });
child.on("spawn", () => process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`));
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));

process.on("SIGTERM", () => child.kill());
process.on("SIGINT", () => {}); // Ctrl-C reaches the program too.
process.stdin.on("close", () => child.kill());
process.stdin.resume();
