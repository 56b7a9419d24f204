import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { diskCode } from "./disk-error.ts";

/** The names of files that are not whole yet. */
export const TEMPORARY = /^[0-9a-f]{32}\.tmp$/;

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/**
 * Gives the file `name` these bytes: whoever reads it sees the former file or this one, never a part, also after a
 * loss of power. Once this resolves it is this one.
 *
 * Written by hand: write-file-atomic syncs no folder, opens without O_EXCL, and takes over the former file's owner.
 */
export async function replaceFile(folder: string, name: string, bytes: Buffer): Promise<void> {
  await withTemporary(folder, bytes, (temporary) => rename(temporary, join(folder, name)));
  await syncFolder(folder);
}

/** Proves that files can be made in the folder and removed from it. */
export async function probe(folder: string): Promise<void> {
  await withTemporary(folder, Buffer.from("dualsync was here\n"), unlink);
  await syncFolder(folder);
}

/** `finish` takes the file away from its temporary name; where anything fails before, it is removed. */
async function withTemporary(
  folder: string,
  bytes: Buffer,
  finish: (path: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, `${randomBytes(16).toString("hex")}.tmp`);
  try {
    await writeDurably(path, bytes);
    await finish(path);
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, CREATE, 0o600);
  try {
    await file.writeFile(bytes);
    // Never tried again: after a failed fsync the system may call bytes safe that it has thrown away.
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable, and the absence of removed ones. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === "win32") return;
  const opened = await open(folder, O_RDONLY | O_DIRECTORY);
  try {
    await opened.sync();
  } catch (error) {
    // The answer of file systems that have no such operation for folders; there is nothing more to ask of them.
    if (diskCode(error) !== "EINVAL") throw error;
  } finally {
    await opened.close();
  }
}
