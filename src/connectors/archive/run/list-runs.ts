import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, onDisk, unlessAbsent } from "../../../files/disk-error.ts";
import type { NotCopied } from "../../../model/collection.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import { manifestIn } from "./open-run.ts";
import { runStart } from "./run-name.ts";

export { holdsRun, openRun } from "./open-run.ts";

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
  /** The collections that it holds → how many documents. */
  readonly holds: ReadonlyMap<string, number>;
  /** Of those the ones that are not whole. */
  readonly partial: ReadonlySet<string>;
  /** What its source had, and is not there. */
  readonly lacks: readonly NotCopied[];
  /** Why it cannot be used, as a clause. */
  readonly problem?: string | undefined;
}

/** The runs in the folder of an archive, the newest last; none where there is no such folder. Their documents are not looked at. */
export async function listRuns(folder: string): Promise<readonly RunSummary[]> {
  const runs: RunSummary[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const since = runStart(name);
    const found = since === undefined ? undefined : await summary(folder, name, since);
    if (found !== undefined) runs.push(found);
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

/** Undefined: it was removed meanwhile. */
async function summary(folder: string, name: string, since: Date): Promise<RunSummary | undefined> {
  const nothing = { holds: new Map<string, number>(), partial: new Set<string>(), lacks: [] };
  const unknown = { name, run: name.slice(-8), since, source: "", verified: false, ...nothing };
  const path = join(folder, name);
  const stat = await onDisk(path, "read", () => unlessAbsent(lstat(path)), ARCHIVE_HINTS);
  if (stat === undefined) return undefined;
  if (!stat.isDirectory())
    return { ...unknown, problem: "it is not a folder itself, and links are not followed" };
  try {
    const manifest = await manifestIn(path);
    const { run, source, verified, from, collections, lacks } = manifest;
    const partial = collections.filter((one) => one.partial !== undefined).map((one) => one.name);
    return {
      ...{ name, run, since: from, source: source.label, verified },
      holds: new Map(collections.map((one) => [one.name, one.documents])),
      partial: new Set(partial),
      lacks,
    };
  } catch (error) {
    if (error instanceof DualsyncError) return { ...unknown, problem: clause(error.message) };
    throw error;
  }
}

function clause(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
