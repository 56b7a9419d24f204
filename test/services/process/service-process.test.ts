import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { engineCommand } from "../mongodb/newer-loader.ts";
import { type Command, startProcess } from "./service-process.ts";

const here = import.meta.dirname;
const FOREVER = "setInterval(() => {}, 1000)";

/** Starts a command, waits for its first line and until it is `ready`, lets its input end as when its parent is gone, and waits for its end. */
async function orphan(
  { command, args }: Command,
  ready = () => true,
): Promise<{ line: string; status: number | null }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const ended = once(child, "exit");
  await expect.poll(ready, { timeout: 10_000 }).toBe(true);
  child.stdin.destroy();
  const [status] = await ended;
  return { line, status };
}

test("an engine process ends when its parent is gone, and removes its data folder", async () => {
  const directory = mkdtempSync(join(tmpdir(), "dualsync-test-"));
  const { line, status } = await orphan(
    await engineCommand(join(here, "../mongodb/engine-child.js"), [directory, "--temporary"]),
  );
  expect(JSON.parse(line).port).toBeGreaterThan(0);
  expect(status).toBe(0);
  expect(existsSync(directory)).toBe(false);
});

test("a program under a keeper ends when the keeper's parent is gone", async () => {
  const args = [join(here, "keeper.js"), process.execPath, "-e", FOREVER];
  const { line } = await orphan({ command: process.execPath, args });
  const { pid } = JSON.parse(line);
  expect(pid).toBeGreaterThan(0);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});

test("a keeper passes on its program's output and exit status", async () => {
  const program = "console.log('no room'); process.exitCode = 5";
  const child = spawn(process.execPath, [join(here, "keeper.js"), process.execPath, "-e", program]);
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  expect(await once(child, "close")).toEqual([5, null]);
  expect(said).toBe("no room\n");
});

test("a keeper stops its program with the given signal, then removes the folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dualsync-test-"));
  const program = `process.on("SIGTERM", () => {}).on("SIGINT", () => process.exit(fs.existsSync(process.argv[1]) ? 7 : 8));
    fs.writeFileSync(process.argv[1] + "/ready", ""); ${FOREVER}`;
  const options = ["--stop-with", "SIGINT", "--remove", folder];
  const args = [join(here, "keeper.js"), ...options, process.execPath, "-e", program, folder];
  const { status } = await orphan({ command: process.execPath, args }, () =>
    existsSync(join(folder, "ready")),
  );
  expect(status).toBe(7);
  expect(existsSync(folder)).toBe(false);
});

test.each<[string, Command, RegExp]>([
  ["does not exist", { command: "/nowhere/program", args: [] }, /ENOENT/],
  ["ends at once", node("console.error('why'); process.exit(3)"), /status 3\. It wrote:\nwhy/],
  ["is silent", node(FOREVER), /not ready within 0\.3 s.*nothing to standard error/],
  ["prints something else than JSON", node(`console.log("hello"); ${FOREVER}`), /not JSON: hello/],
])("startProcess fails with the reason when a program %s", async (_, command, reason) => {
  const timeout = reason.source.includes("0\\.3") ? 300 : 30_000;
  await expect(startProcess("the server", command, timeout)).rejects.toThrow(reason);
});

test("a process can be stopped twice, and killed after that", async () => {
  const child = await startProcess("the server", node(`console.log("{}"); ${FOREVER}`));
  await Promise.all([child.stop(), child.stop()]);
  await child.kill();
});

function node(program: string): Command {
  return { command: process.execPath, args: ["-e", program] };
}
