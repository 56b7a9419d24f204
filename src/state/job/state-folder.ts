import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, refusal, unlessAbsent } from "../../files/disk-error.ts";
import { probe, replaceFile, syncFolder, TEMPORARY } from "../../files/durable-file.ts";

/** The folder's name, in the working directory. */
export const FOLDER = ".dualsync";

const IGNORE = ".gitignore";
const DAY_MS = 24 * 60 * 60 * 1000;

/** The folder `.dualsync` of a working directory: of this user alone, and not for a repository. */
export class StateFolder {
  readonly path: string;
  readonly #cwd: string;

  constructor(cwd: string) {
    this.#cwd = cwd;
    this.path = join(cwd, FOLDER);
  }

  /** False when there is none. One that others could have put there or changed is refused, and left as it is. */
  async exists(): Promise<boolean> {
    const stats = await unlessAbsent(lstat(this.path));
    if (stats === undefined) return false;
    const problem = stats.isDirectory()
      ? foreignHand(stats)
      : stats.isSymbolicLink()
        ? "is a symbolic link"
        : "is not a folder";
    if (problem === undefined) return true;
    throw refusal(
      `The folder ${FOLDER}`,
      problem,
      "Make it a folder that only you can write (mode 700), move it away, or start dualsync in another folder.",
    );
  }

  /** Makes the folder, unless it is there, and keeps it out of version control. */
  async make(): Promise<void> {
    if (!(await this.exists())) {
      await mkdir(this.path, { mode: 0o700 }).catch((error: unknown) => {
        // Another run was faster.
        if (diskCode(error) !== "EEXIST") throw error;
      });
      await syncFolder(this.#cwd);
      await this.exists();
    }
    const ignored = await unlessAbsent(lstat(join(this.path, IGNORE)));
    if (ignored === undefined) await replaceFile(this.path, IGNORE, Buffer.from("*\n"));
  }

  /** Proves that the folder can be written. */
  probe(): Promise<void> {
    return probe(this.path);
  }

  /** Replaces one file as a whole. What stands there and is no file is refused. */
  async replace(name: string, bytes: Buffer): Promise<void> {
    const stats = await unlessAbsent(lstat(join(this.path, name)));
    if (stats !== undefined && !stats.isFile()) throw notAFile(`${FOLDER}/${name}`);
    await replaceFile(this.path, name, bytes);
  }

  /** Removes what has this name, a symbolic link itself and never what it points to; no harm when there is nothing. */
  async remove(name: string): Promise<void> {
    if (!(await this.exists())) return;
    await unlessAbsent(unlink(join(this.path, name)));
    await syncFolder(this.path);
  }

  /** Removes the temporary files of runs that died a day ago or more: a living run has one for seconds. */
  async sweep(): Promise<void> {
    const before = Date.now() - DAY_MS;
    for (const name of await readdir(this.path)) {
      if (!TEMPORARY.test(name)) continue;
      const stats = await unlessAbsent(lstat(join(this.path, name)));
      if (stats?.isFile() && stats.mtimeMs < before) await unlessAbsent(unlink(join(this.path, name)));
    }
  }
}

/** What stands where a state file should be is a symbolic link, a folder, a pipe or similar. */
export function notAFile(path: string): Error {
  return refusal(path, "is not a regular file", "Remove it or move it away.");
}

/** Why a file or folder could have been changed by somebody else; undefined when only this user can change it. */
export function foreignHand(stats: Pick<Stats, "uid" | "mode">): string | undefined {
  const user = process.getuid?.();
  // Windows shows neither owner nor permissions in this form.
  if (user === undefined) return undefined;
  if (stats.uid !== user) return "belongs to another user";
  return (stats.mode & 0o022) === 0 ? undefined : "can be written by other users";
}
