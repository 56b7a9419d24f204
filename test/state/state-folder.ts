import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

export const KEY = "0123456789abcdef0123456789abcdef";
export const STATE = `.dualsync/${KEY}.json`;

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new empty working directory, removed after the test. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dualsync-state-"));
  made.push(folder);
  return folder;
}

/** The temporary files in the state folder of a working directory. */
export function temporaries(cwd: string): string[] {
  return readdirSync(join(cwd, ".dualsync")).filter((name) => name.endsWith(".tmp"));
}
