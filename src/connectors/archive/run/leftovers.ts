import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, onDisk } from "../../../files/disk-error.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import { isPartial } from "./run-name.ts";

const DAY = 86_400_000;

/**
 * Removes runs that did not become whole, where nothing was written for a day: whoever wrote them is gone. Nothing reads them: one that
 * may not be removed stays, and is in nobody's way.
 */
export async function removeLeftovers(folder: string, now: Date): Promise<void> {
  const names = await onDisk(folder, "read", () => readdir(folder), ARCHIVE_HINTS);
  for (const name of names.filter(isPartial)) {
    const path = join(folder, name);
    if (now.getTime() - (await lastWrite(path)) <= DAY) continue;
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      if (diskCode(error) === undefined) throw error;
    });
  }
}

/** When something in it was last written. What vanishes meanwhile is being removed by somebody else. */
async function lastWrite(path: string): Promise<number> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return Number.POSITIVE_INFINITY;
  if (!stat.isDirectory()) return stat.mtimeMs;
  const names = await readdir(path).catch(() => []);
  const times = await Promise.all(names.map((name) => lastWrite(join(path, name))));
  return times.filter(Number.isFinite).reduce((last, time) => Math.max(last, time), stat.mtimeMs);
}
