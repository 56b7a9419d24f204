/** The files of an archive: how they are opened, and what is said when they fail or are damaged. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type DiskHints, diskCode, onDisk } from "../../../files/disk-error.ts";
import { DualsyncError } from "../../../model/errors.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
/** A pipe of this name would otherwise be waited for. Windows knows neither flag. */
const READ = O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);

const NOT_KEPT =
  "Nothing of this run is kept, earlier runs of the archive are as they were, and the source was not changed.";

export const ARCHIVE_HINTS: DiskHints = {
  read: "Neither the source nor the target was changed. Make the file readable and run the same command again.",
  written: `${NOT_KEPT} Fix this, or choose a folder elsewhere, and run the same command again.`,
  removed: "Nothing else was changed. Fix this, or remove it by hand.",
  full: `${NOT_KEPT} Free space, or choose a folder on another disk, and run the same command again.`,
};

/** `problem` continues a sentence that begins with the file. */
export function damaged(path: string, problem: string, cause?: unknown): DualsyncError {
  return new DualsyncError("local", `${path} ${problem}.`, {
    hint: "Neither the source nor the target was changed. Take an earlier archive of the folder, if there is one, with --at, or fetch the file from another copy of the folder.",
    cause,
  });
}

/** A new file that only its owner can read. */
export async function createFile(path: string): Promise<FileHandle> {
  return await onDisk(path, "written", () => open(path, CREATE, 0o600), ARCHIVE_HINTS);
}

/** Opens what is a file itself: neither a link to one nor anything else. */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await onDisk(path, "read", () => opened(path), ARCHIVE_HINTS);
  try {
    const stat = await onDisk(path, "read", () => file.stat(), ARCHIVE_HINTS);
    if (!stat.isFile()) throw damaged(path, "is not a file");
    return file;
  } catch (error) {
    await closeFile(file, path);
    throw error;
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, READ);
  } catch (error) {
    const code = diskCode(error);
    if (code === "ELOOP" || code === "EMLINK")
      throw damaged(path, "is a symbolic link, which is not followed", error);
    if (code === "ENOENT") throw damaged(path, "is missing", error);
    if (code === "ENXIO") throw damaged(path, "is not a file", error);
    throw error;
  }
}

export async function closeFile(file: FileHandle, path: string): Promise<void> {
  await onDisk(path, "read", () => file.close(), ARCHIVE_HINTS);
}

/** What comes of work on an open file and its size. */
export async function inFile<T>(
  path: string,
  work: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  const file = await openFile(path);
  try {
    const { size } = await onDisk(path, "read", () => file.stat(), ARCHIVE_HINTS);
    return await work(file, size);
  } finally {
    await closeFile(file, path);
  }
}

/** A whole file that should have this many bytes; one that has not is not read. */
export async function readWhole(path: string, bytes: number): Promise<Buffer> {
  return await inFile(path, async (file, size) => {
    if (size !== bytes) throw wrongSize(path, size, bytes);
    return await readPart(file, path, 0, bytes);
  });
}

export function wrongSize(path: string, size: number, wanted: number): DualsyncError {
  return damaged(path, `is damaged: it has ${size} bytes, and was written with ${wanted}`);
}

/** Memory of its own, which nobody else sees. */
export async function readPart(
  file: FileHandle,
  path: string,
  offset: number,
  length: number,
): Promise<Buffer> {
  const part = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const rest = { buffer: part, offset: done, length: length - done, position: offset + done };
    const { bytesRead } = await onDisk(path, "read", () => file.read(rest), ARCHIVE_HINTS);
    if (bytesRead === 0) throw damaged(path, "is damaged: it is cut off");
    done += bytesRead;
  }
  return part;
}

/** @returns what was waited for, with errors of the disk as `local` ones */
export async function writing<T>(path: string, calls: () => Promise<T>): Promise<T> {
  return await onDisk(path, "written", calls, ARCHIVE_HINTS);
}
