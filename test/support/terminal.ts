import { spawn, spawnSync } from "node:child_process";
import { shellWord } from "../../src/model/shell-word.ts";
import { BIN } from "./cli.ts";

/** Whether this machine can give a program a terminal: util-linux's `script` is there. */
export const HAS_TERMINAL = /util-linux/.test(
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "",
);

export interface TerminalOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Typed as soon as `question` is shown. */
  readonly question: RegExp;
  readonly answer: string;
}

/** Runs the installed program on a pseudo-terminal. @returns its exit status and all that it has shown */
export async function inTerminal(
  args: readonly string[],
  { env, cwd, question, answer }: TerminalOptions,
): Promise<{ readonly code: number | null; readonly shown: string; readonly asked: boolean }> {
  const command = [process.execPath, BIN, ...args].map(shellWord).join(" ");
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn("script", ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"], {
    cwd,
    env: { PATH, HOME, SHELL: "/bin/sh", TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let asked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (asked || !question.test(shown)) return;
    asked = true;
    child.stdin.write(answer);
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  return { code, shown, asked };
}
