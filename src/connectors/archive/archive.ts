/** Opens an archive: one that dualsync wrote or will write, or what mongodump has written. */
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { DualsyncError } from "../../model/errors.ts";
import type { OpenOptions } from "../connector.ts";
import type { CopiedStore, Run, Sink, Store } from "../contract.ts";
import type { KeptCopy } from "../powers/kept-copies.ts";
import { archiveReader } from "./archive-reader.ts";
import { isDump, openDump } from "./dump/open-dump.ts";
import type { FileLocation } from "./file-location.ts";
import { listRuns, openRun, type RunSummary } from "./run/list-runs.ts";
import { prune } from "./run/prune.ts";
import { runStart } from "./run/run-name.ts";
import { beginRun } from "./run/run-sink.ts";
import type { OpenedArchive } from "./stored-collection.ts";

export async function openArchive(location: FileLocation, { role, signal }: OpenOptions): Promise<Store> {
  const { directory, label, compressed = false } = location;
  const reader = archiveReader(label, () => opened(location, signal));
  const store: Store = {
    ...reader,
    keptCopies: {
      list: async () => (await listRuns(directory)).map(keptCopyOf),
      prune: async (keep, source) => (await prune(directory, keep, source)).map(keptCopyOf),
    },
    begin: (run, copied) => begun(directory, run, copied, compressed),
  };
  // What is to be read must be there; what is to be written need not.
  if (role === "source") await reader.identity(signal);
  return store;
}

async function opened({ directory, label, at }: FileLocation, signal: AbortSignal): Promise<OpenedArchive> {
  const runs = await listRuns(directory);
  // One of several may be meant by its own folder.
  if (runs.length === 0 && at === undefined && runStart(basename(directory)) !== undefined)
    return await openRun(dirname(directory), basename(directory));
  if (runs.length === 0) return await openedDump(directory, label, at, signal);
  const before = runs.filter(({ since }) => at === undefined || since.getTime() <= at.getTime());
  const last = before.at(-1);
  const each = `It holds: ${runs.map(described).join("; ")}.`;
  if (last === undefined)
    throw new DualsyncError("local", `${label} holds no archive that was begun by ${at?.toISOString()}.`, {
      hint: `${each} Nothing was changed.`,
    });
  if (last.problem !== undefined)
    throw new DualsyncError("local", `${label}/${last.name} cannot be used: ${last.problem}.`, {
      hint: `Nothing was changed. ${runs.length === 1 ? "" : `${each} An earlier one is taken with --at TIME.`}`.trimEnd(),
    });
  return await openRun(directory, last.name);
}

async function openedDump(
  directory: string,
  label: string,
  at: Date | undefined,
  signal: AbortSignal,
): Promise<OpenedArchive> {
  const found = await dumpAt(directory);
  if (found === undefined)
    throw new DualsyncError("local", `${label} holds no archive of dualsync and none of mongodump.`, {
      hint: "Nothing was changed. Check the path after file:.",
    });
  if (at !== undefined)
    throw new DualsyncError(
      "usage",
      `${label} was written by mongodump and holds one archive: --at chooses none.`,
      {
        hint: "Nothing was changed. Leave --at out.",
      },
    );
  return await openDump(found.path, found.database, signal);
}

/** A database of several is named after the path of what holds them. */
async function dumpAt(path: string): Promise<{ path: string; database: string | undefined } | undefined> {
  if (await isDump(path)) return { path, database: undefined };
  const [parent, database] = [dirname(path), basename(path)];
  return (await isDump(parent)) ? { path: parent, database } : undefined;
}

async function begun(
  directory: string,
  { id, command }: Run,
  { kind, label, product, database }: CopiedStore,
  gzip: boolean,
): Promise<Sink> {
  const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };
  const source = { kind, label, product };
  return await beginRun(directory, {
    run: id,
    command,
    source,
    database,
    gzip,
    version,
    now: () => new Date(),
  });
}

function keptCopyOf({ run, since, source, verified, problem, holds, lacks, lost }: RunSummary): KeptCopy {
  const wanted = [...new Set([...holds, ...lost])];
  return { run, since, source, verified, isPartial: lacks.size > 0, wanted, problem };
}

function described({ since, source, verified, problem, lacks }: RunSummary): string {
  const part = lacks.size > 0 ? ", not of everything" : "";
  const state = problem ?? `${verified ? "verified" : "not verified"}${part}`;
  return `${since.toISOString()} of ${source} (${state})`;
}
