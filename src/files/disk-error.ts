import { DualsyncError } from "../model/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full",
  EDQUOT: "The disk quota is used up",
  EFBIG: "The file system takes no file of that size",
  EROFS: "The file system is read-only",
  EACCES: "Permission is denied",
  EPERM: "Permission is denied",
  EIO: "The disk failed",
  EMFILE: "Too many files are open",
  ENFILE: "Too many files are open",
  ENOTDIR: "A part of the path is not a folder",
  ENOENT: "The folder is gone",
};

/** What is safe and what to do when a call fails, as sentences. `full`: for want of room to write. */
export type DiskHints = Readonly<Record<Doing | "full", string>>;

/** For what a run notes for later ones. */
const HINTS: DiskHints = {
  read: "Nothing was changed. Make the file readable and run the same command again, or discard it with --restart.",
  written:
    "What was copied is kept. Fix this (or start dualsync in a writable folder) and run the same command again to resume.",
  removed: "Nothing was copied or changed. Remove the file by hand and run the same command again.",
  full: "What was copied is kept. Free space (or start dualsync in a writable folder) and run the same command again to resume.",
};

export type Doing = "read" | "written" | "removed";

/** The operating system's name of what went wrong, for example "ENOENT"; undefined for any other kind of error. */
export function diskCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** The error of a file-system call as a `local` one; what is no such error comes back as it is. */
export function diskError(error: unknown, path: string, doing: Doing, hints = HINTS): unknown {
  const code = diskCode(error);
  if (code === undefined || error instanceof DualsyncError) return error;
  const failed = `${path} could not be ${doing} (${code}).`;
  const reason = REASONS[code];
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new DualsyncError("local", reason === undefined ? failed : `${reason}: ${failed}`, {
    hint: hints[full && doing === "written" ? "full" : doing],
    cause: error,
  });
}

/** The result of file-system calls, whose errors become `local` ones. */
export async function onDisk<T>(
  path: string,
  doing: Doing,
  calls: () => Promise<T>,
  hints = HINTS,
): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    throw diskError(error, path, doing, hints);
  }
}

/** The result of a call, or undefined where nothing has that name. */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (diskCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A file that is not as dualsync leaves it. It is never repaired, guessed at or ignored. */
export function refusal(path: string, problem: string, advice: string): DualsyncError {
  return new DualsyncError("local", `${path} ${problem}.`, { hint: `Nothing was changed. ${advice}` });
}
