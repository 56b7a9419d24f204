import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, refusal, unlessAbsent } from "../../files/disk-error.ts";
import { FOLDER, foreignHand, notAFile, type StateFolder } from "../job/state-folder.ts";

// Not blocking: opening a named pipe would otherwise wait for somebody who writes into it.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file of the folder for reading; undefined when there is none. What is no regular file, or could have been
 * changed by somebody else, is refused with this advice.
 */
export async function openTrustedFile(
  folder: StateFolder,
  name: string,
  advice: string,
): Promise<{ readonly file: FileHandle; readonly size: number; readonly modified: Date } | undefined> {
  const path = `${FOLDER}/${name}`;
  const file = await unlessAbsent(open(join(folder.path, name), READ)).catch((error: unknown) => {
    // A symbolic link; a socket.
    const refused = ["ELOOP", "EMLINK", "ENXIO", "EISDIR"].includes(diskCode(error) ?? "");
    throw refused ? notAFile(path) : error;
  });
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw notAFile(path);
    const hand = foreignHand(stats);
    if (hand !== undefined) throw refusal(path, hand, advice);
    return { file, size: stats.size, modified: stats.mtime };
  } catch (error) {
    await file.close();
    throw error;
  }
}
