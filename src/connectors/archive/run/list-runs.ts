import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, onDisk } from "../../../files/disk-error.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import type { Manifest } from "./manifest.ts";
import { manifestIn } from "./open-run.ts";
import { runStart } from "./run-name.ts";

export { openRun } from "./open-run.ts";

/** A run of an archive, as far as its folder's name and its manifest tell. */
export interface RunSummary {
  /** Of its folder. */
  readonly name: string;
  /** Its id, or as much as the folder's name has of it. */
  readonly run: string;
  /** When its documents began to be read. */
  readonly since: Date;
  /** The source's label; empty where there is a problem. */
  readonly source: string;
  readonly verified: boolean;
  /** Why it cannot be used, as a clause. */
  readonly problem?: string | undefined;
}

/** The runs in the folder of an archive, the newest last; none where there is no such folder. Their documents are not looked at. */
export async function listRuns(folder: string): Promise<readonly RunSummary[]> {
  const runs: RunSummary[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const since = runStart(name);
    if (since !== undefined) runs.push(await summary(folder, name, since));
  }
  return runs.sort((a, b) => a.since.getTime() - b.since.getTime());
}

async function namesIn(folder: string): Promise<string[]> {
  return await onDisk(
    folder,
    "read",
    async () => {
      try {
        return await readdir(folder);
      } catch (error) {
        // A file is what another program may have written.
        if (["ENOENT", "ENOTDIR"].includes(diskCode(error) ?? "")) return [];
        throw error;
      }
    },
    ARCHIVE_HINTS,
  );
}

async function summary(folder: string, name: string, since: Date): Promise<RunSummary> {
  const unknown = { name, run: name.slice(-8), since, source: "", verified: false };
  const path = join(folder, name);
  const stat = await onDisk(path, "read", () => lstat(path), ARCHIVE_HINTS);
  if (!stat.isDirectory())
    return { ...unknown, problem: "it is not a folder itself, and links are not followed" };
  try {
    const { run, source, verified, from }: Manifest = await manifestIn(path);
    return { name, run, since: from, source: source.label, verified };
  } catch (error) {
    if (error instanceof DualsyncError) return { ...unknown, problem: clause(error.message) };
    throw error;
  }
}

function clause(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
