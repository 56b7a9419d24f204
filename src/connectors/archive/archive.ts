/** Opens an archive: one that dualsync wrote or will write, or what mongodump has written. */

import { realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { DualsyncError } from "../../model/errors.ts";
import type { OpenOptions } from "../connector.ts";
import type { CopiedStore, Run, Sink, Store } from "../contract.ts";
import { type KeptCopy, stateOf } from "../powers/kept-copies.ts";
import { archiveReader } from "./archive-reader.ts";
import { isDump, openDump } from "./dump/open-dump.ts";
import type { FileLocation } from "./file-location.ts";
import { holdsRun, listRuns, openRun, type RunSummary } from "./run/list-runs.ts";
import { prune } from "./run/prune.ts";
import { isPartial, runStart } from "./run/run-name.ts";
import { beginRun } from "./run/run-sink.ts";
import type { OpenedArchive } from "./stored-collection.ts";

export async function openArchive(
  location: FileLocation,
  { role, other, signal }: OpenOptions,
): Promise<Store> {
  const { directory, label, compressed = false } = location;
  // What is to be read must be there; what is to be written need not.
  const opening = role === "source" ? await opened(location, other, signal) : undefined;
  const open = async () => (opening ?? (await opened(location, other, signal))).archive;
  return {
    ...archiveReader(opening?.label ?? label, open),
    keptCopies: {
      list: async () => (await listRuns(directory)).map(keptCopyOf),
      prune: async (keep, done) => (await prune(directory, keep, done)).map(keptCopyOf),
    },
    begin: (run, copied) => begun(directory, run, copied, compressed),
  };
}

interface FoundArchive {
  readonly archive: OpenedArchive;
  /** Which of several it is, for people and for who remembers where something came from. */
  readonly label: string;
}

async function opened(
  { directory, label, at }: FileLocation,
  other: string | undefined,
  signal: AbortSignal,
): Promise<FoundArchive> {
  const runs = await listRuns(directory);
  if (runs.length === 0) return await openedAlone(directory, label, at, signal);
  const meant = runsOf(runs, other, label);
  const before = meant.filter(({ since }) => at === undefined || since.getTime() <= at.getTime());
  const last = before.at(-1);
  const each = `It holds: ${meant.map(described).join("; ")}.`;
  if (last === undefined)
    throw new DualsyncError("local", `${label} holds no archive that was begun by ${at?.toISOString()}.`, {
      hint: `${each} Nothing was changed.`,
    });
  if (last.problem !== undefined)
    throw new DualsyncError("local", `${label}/${last.name} cannot be used: ${last.problem}.`, {
      hint: `Nothing was changed. ${meant.length === 1 ? "" : `${each} An earlier one is taken with --at TIME.`}`.trimEnd(),
    });
  return { archive: await openRun(directory, last.name), label: join(label, last.name) };
}

/** What is named by its own path: the folder of a run, whatever its name, or what mongodump has written. */
async function openedAlone(
  directory: string,
  label: string,
  at: Date | undefined,
  signal: AbortSignal,
): Promise<FoundArchive> {
  const path = await realpath(directory).catch(() => directory);
  if (isPartial(basename(path)))
    throw new DualsyncError("local", `${label} was not written to its end.`, {
      hint: "Nothing was changed. Take another archive: the folder around it lists those that are whole.",
    });
  // A run that has lost its manifest is damaged, and no dump.
  if (runStart(basename(path)) === undefined && !(await holdsRun(path)))
    return { archive: await openedDump(directory, label, at, signal), label };
  if (at !== undefined) throw oneArchive(`${label} is one archive`);
  // A link may lead to another one tomorrow.
  const isLink = basename(path) !== basename(directory);
  return { archive: await openRun(dirname(path), basename(path)), label: isLink ? path : label };
}

/** Those of one source, and what is damaged, of which nobody knows whose it is. @throws DualsyncError `usage` where it is not known which source */
function runsOf(
  runs: readonly RunSummary[],
  other: string | undefined,
  label: string,
): readonly RunSummary[] {
  const sources = [
    ...new Set(runs.filter(({ problem }) => problem === undefined).map(({ source }) => source)),
  ];
  const isKnown = other !== undefined && sources.includes(other);
  const [source] = isKnown ? [other] : sources;
  // A damaged one may be of any source.
  const isSure = isKnown || new Set(runs.map((run) => run.source)).size === 1;
  if (!isSure)
    throw new DualsyncError(
      "usage",
      `${label} holds archives of several stores, or damaged ones that may be, and none of ${other}: ${runs.map(described).join("; ")}.`,
      {
        hint: `Nothing was changed. Name the one that is meant by its own folder, for example file:${label}/${runs.findLast(({ problem }) => problem === undefined)?.name}`,
      },
    );
  return runs.filter((run) => run.problem !== undefined || run.source === source);
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
  if (at !== undefined) throw oneArchive(`${label} was written by mongodump and holds one archive`);
  return await openDump(found.path, found.database, signal);
}

function oneArchive(what: string): DualsyncError {
  return new DualsyncError("usage", `${what}: --at chooses none.`, {
    hint: "Nothing was changed. Leave --at out.",
  });
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

function keptCopyOf({ run, since, source, verified, problem, holds, lacks, partial }: RunSummary): KeptCopy {
  return { run, since, source, verified, isPartial: lacks.length + partial.size > 0, holds, lacks, problem };
}

function described(summary: RunSummary): string {
  const { since, source } = summary;
  const of = source === "" ? "" : ` of ${source}`;
  return `${since.toISOString()}${of} (${stateOf(keptCopyOf(summary))})`;
}
