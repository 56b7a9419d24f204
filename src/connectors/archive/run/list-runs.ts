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
  /** Collections that it holds all of. */
  readonly holds: ReadonlySet<string>;
  /** Those that its source had, and that it holds not at all, or not all of. */
  readonly lacks: ReadonlySet<string>;
  /** Of those what was to be there. */
  readonly lost: ReadonlySet<string>;
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
  const nothing = { holds: new Set<string>(), lacks: new Set<string>(), lost: new Set<string>() };
  const unknown = { name, run: name.slice(-8), since, source: "", verified: false, ...nothing };
  const path = join(folder, name);
  const stat = await onDisk(path, "read", () => lstat(path), ARCHIVE_HINTS);
  if (!stat.isDirectory())
    return { ...unknown, problem: "it is not a folder itself, and links are not followed" };
  try {
    const manifest = await manifestIn(path);
    const { run, source, verified, from } = manifest;
    return { name, run, since: from, source: source.label, verified, ...partsOf(manifest) };
  } catch (error) {
    if (error instanceof DualsyncError) return { ...unknown, problem: clause(error.message) };
    throw error;
  }
}

function partsOf({ collections, lacks }: Manifest): Pick<RunSummary, "holds" | "lacks" | "lost"> {
  const namesOf = (some: readonly { readonly name: string }[]) => new Set(some.map(({ name }) => name));
  const partial = collections.filter((one) => one.partial !== undefined);
  return {
    holds: namesOf(collections.filter((one) => one.partial === undefined)),
    lacks: namesOf([...lacks, ...partial]),
    lost: namesOf([...lacks.filter(({ isLoss }) => isLoss === true), ...partial]),
  };
}

function clause(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
