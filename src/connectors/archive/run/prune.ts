import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../../files/disk-error.ts";
import { syncFolder } from "../../../files/durable-file.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import { listRuns, type RunSummary } from "./list-runs.ts";
import { partialName } from "./run-name.ts";

/**
 * Removes the runs before this one, of the source with this label, of which so many newer ones hold all that they hold: of what the source
 * still had. The oldest goes first. What is damaged stays, and what is verified while no newer one of those is. @returns what was removed
 */
export async function prune(
  folder: string,
  keep: number,
  { run, source }: { readonly run: string; readonly source: string },
): Promise<readonly RunSummary[]> {
  if (!Number.isSafeInteger(keep) || keep < 1) throw new Error("At least one run is kept.");
  const own = (await listRuns(folder)).filter((one) => one.problem === undefined && one.source === source);
  // What begins later, by a clock that was wrong, tells nothing of what this run follows.
  const upToThis = own.slice(0, own.findIndex((one) => one.run === run) + 1);
  const old = upToThis.filter((one, at) => {
    const newer = upToThis.slice(at + 1).filter((other) => holdsAllOf(other, one));
    return newer.length >= keep && (!one.verified || newer.some(({ verified }) => verified));
  });
  for (const { name } of old) await remove(folder, name);
  return old;
}

/** What the source no longer had is not missed; of what is not whole any part will do. */
function holdsAllOf(newer: RunSummary, { holds, partial }: RunSummary): boolean {
  const absent = new Set(newer.lacks.map(({ name }) => name));
  return [...holds.keys()].every(
    (name) => !absent.has(name) && (partial.has(name) || !newer.partial.has(name)),
  );
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
