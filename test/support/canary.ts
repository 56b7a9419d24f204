import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type CliOptions, dualsync } from "./cli.ts";

/** Every usual way to write a secret down. */
export function spellingsOf(secret: string): string[] {
  const encoded = encodeURIComponent(secret);
  const plain = [secret, encoded, encodeURIComponent(encoded)];
  const packed = plain.flatMap((text) => [
    Buffer.from(text).toString("base64").replace(/=+$/, "").slice(0, -1),
    Buffer.from(text).toString("base64url").slice(0, -1),
  ]);
  return [...new Set([...plain, encoded.toLowerCase(), ...packed, JSON.stringify(secret).slice(1, -1)])];
}

export interface Watched {
  readonly code: number | null;
  /** All that it printed and all that its folder holds afterwards except the files that were put there. */
  readonly left: string;
}

/**
 * Runs the program and looks for the secret everywhere: in what it prints, in its folder, and, where it was typed, in the
 * list of processes from the moment on when the program has printed or, as `contacted` says, reached anybody.
 */
export async function runWatched(
  args: readonly string[],
  secret: string,
  options: Omit<CliOptions, "onStart"> = {},
  contacted: () => boolean = () => false,
): Promise<Watched> {
  const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), "dualsync-watched-"));
  let exposed = "";
  let printed = false;
  let timer: NodeJS.Timeout | undefined;
  const onStart = (child: ChildProcess): void => {
    for (const stream of [child.stdout, child.stderr]) stream?.once("data", () => (printed = true));
    timer = setInterval(() => {
      const late = printed || contacted();
      const shown = late ? commandLine(child.pid) : "";
      if (shown.includes(secret)) exposed = shown;
    }, 3);
  };
  const spellings = spellingsOf(secret);
  const typed = args.some((argument) => spellings.some((spelling) => argument.includes(spelling)));
  try {
    const { code, stdout, stderr } = await dualsync(args, { ...options, cwd, ...(typed ? { onStart } : {}) });
    const left = `${stdout}\n${stderr}\n${contentOf(cwd, Object.keys(options.files ?? {}))}`;
    for (const spelling of spellings) {
      expect(left.includes(spelling), `${spelling} was shown:\n${left.slice(0, 2_000)}`).toBe(false);
    }
    expect(exposed).toBe("");
    return { code, left };
  } finally {
    clearInterval(timer);
    if (options.cwd === undefined) rmSync(cwd, { recursive: true, force: true });
  }
}

function commandLine(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function contentOf(folder: string, given: readonly string[]): string {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((file) => file.isFile() && !given.includes(file.name))
    .map((file) => `${file.name}\n${readFileSync(join(file.parentPath, file.name), "latin1")}`)
    .join("\n");
}
