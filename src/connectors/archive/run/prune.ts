import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../../files/disk-error.ts";
import { syncFolder } from "../../../files/durable-file.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import { listRuns, type RunSummary } from "./list-runs.ts";
import { partialName } from "./run-name.ts";

/**
 * Removes the runs of the source with this label of which so many newer ones hold all that they hold, the oldest first. What is damaged
 * stays, and what is verified while no newer one of those is. @returns what was removed
 */
export async function prune(folder: string, keep: number, source: string): Promise<readonly RunSummary[]> {
  if (!Number.isSafeInteger(keep) || keep < 1) throw new Error("At least one run is kept.");
  const own = (await listRuns(folder)).filter((run) => run.problem === undefined && run.source === source);
  const old = own.filter((run, at) => {
    const newer = own.slice(at + 1).filter((other) => holdsAllOf(other, run));
    return newer.length >= keep && (!run.verified || newer.some(({ verified }) => verified));
  });
  for (const { name } of old) await remove(folder, name);
  return old;
}

/** What the source no longer had is not missed. */
function holdsAllOf({ lacks }: RunSummary, { holds }: RunSummary): boolean {
  return [...holds].every((name) => !lacks.has(name));
}

/** Never looks whole again from the first step on. */
async function remove(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  const partial = join(folder, partialName(name));
  const calls = async () => {
    await rename(path, partial);
    await syncFolder(folder);
    await rm(partial, { recursive: true, force: true });
    await syncFolder(folder);
  };
  await onDisk(path, "removed", calls, ARCHIVE_HINTS);
}
