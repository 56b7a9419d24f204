import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { diskCode, diskError, onDisk } from "../../../files/disk-error.ts";
import { readJson } from "../../../json/json-reader.ts";
import type { NotCopied } from "../../../model/collection.ts";
import { configurationError, listed } from "../../../model/configuration-error.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import type { OpenedArchive } from "../stored-collection.ts";
import { openArchiveFile } from "./archive-dump.ts";
import { ARCHIVE_MAGIC } from "./archive-format.ts";
import { BadDump } from "./byte-queue.ts";
import { openDatabaseFolder } from "./database-folder.ts";
import { contentOf, isGzip, startOf, textOfFile } from "./dump-file.ts";
import { DATA_FILE, DUMP_FILE, productName } from "./dump-file-names.ts";

/** Databases of the server itself. */
const OF_THE_SERVER = new Set(["admin", "config", "local"]);

/** Whether something is a dump by mongodump: the folder of one or more databases, or an archive file. */
export async function isDump(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isDirectory()) return await isArchiveFile(path);
    const entries = await readdir(path, { withFileTypes: true });
    if (entries.some(isDumpFile)) return true;
    return (await foldersIn(path, entries)).databases.length > 0;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(diskCode(error) ?? "")) return false;
    if (error instanceof BadDump) return false;
    if (error instanceof DualsyncError) throw error;
    return await onDisk(path, "read", () => Promise.reject(error), ARCHIVE_HINTS);
  }
}

/**
 * Opens a dump and reads all of it once. What is damaged is refused when it is asked for. Fails with `usage` when there are several
 * databases and none is named, and with `local` when nothing of it can be read.
 */
export async function openDump(
  path: string,
  database: string | undefined,
  signal: AbortSignal,
): Promise<OpenedArchive> {
  const isFolder = await onDisk(path, "read", async () => (await stat(path)).isDirectory(), ARCHIVE_HINTS);
  if (!isFolder) return await openArchiveFile(path, (names) => chosen(path, names, database), signal);
  const entries = await entriesOf(path);
  if (entries.some((entry) => isDumpFile(entry) && !entry.name.startsWith("oplog.bson")))
    return await openDatabaseFolder(path, await productOf(path, signal), [], signal);
  const { databases, unreadable } = await foldersIn(path, entries);
  const name = chosen(path, databases, database);
  const others = [
    ...databases.filter((other) => other !== name).map(otherDatabase),
    ...unreadable.map((folder) => ({ name: folder, reason: "this folder may not be read" })),
    ...entries.filter(({ name: file }) => file.startsWith("oplog.bson")).map(({ name: file }) => oplog(file)),
    ...entries.filter((entry) => entry.isSymbolicLink()).map(({ name: link }) => linked(link)),
  ];
  const product = (await foundProduct(path, signal)) ?? (await productOf(join(path, name), signal));
  return await openDatabaseFolder(join(path, name), product, others, signal);
}

/** One that may not be read lies at the root of many disks, and may be a database all the same. */
async function foldersIn(
  path: string,
  entries: readonly Dirent[],
): Promise<{ readonly databases: readonly string[]; readonly unreadable: readonly string[] }> {
  const databases: string[] = [];
  const unreadable: string[] = [];
  for (const { name } of entries.filter((one) => one.isDirectory())) {
    try {
      const inside = await readdir(join(path, name), { withFileTypes: true });
      if (inside.some(isDumpFile)) databases.push(name);
    } catch (error) {
      const code = diskCode(error) ?? "";
      if (code === "EACCES" || code === "EPERM") unreadable.push(name);
      else if (code !== "ENOENT") throw diskError(error, join(path, name), "read", ARCHIVE_HINTS);
    }
  }
  return { databases, unreadable };
}

function isDumpFile(entry: Dirent): boolean {
  return (
    entry.isFile() &&
    DUMP_FILE.test(entry.name) &&
    (DATA_FILE.test(entry.name) || entry.name.includes(".metadata."))
  );
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return await onDisk(folder, "read", () => readdir(folder, { withFileTypes: true }), ARCHIVE_HINTS);
}

async function isArchiveFile(path: string): Promise<boolean> {
  const start = await startOf(path, 4);
  if (!isGzip(start)) return ARCHIVE_MAGIC.equals(start);
  for await (const chunk of contentOf(path, true, new AbortController().signal)) {
    return ARCHIVE_MAGIC.equals(chunk.subarray(0, 4));
  }
  return false;
}

/** The database that is meant. Those of the server itself are meant only when they are named. */
function chosen(path: string, databases: readonly string[], wanted: string | undefined): string {
  const own = databases.filter((name) => !OF_THE_SERVER.has(name));
  const [only, ...more] = wanted === undefined ? own : databases.filter((name) => name === wanted);
  if (only !== undefined && more.length === 0) return only;
  const have = listed([...databases].sort());
  if (databases.length === 0) throw configurationError(`${path} holds no database.`, "Check the path.");
  const problem =
    wanted === undefined
      ? `${path} holds several databases: ${have}.`
      : `${path} holds no database ${wanted}, but ${have}.`;
  throw configurationError(
    problem,
    `Write the one that is meant behind the path: file:${path}/${own[0] ?? have}`,
  );
}

function otherDatabase(name: string): NotCopied {
  const reason = OF_THE_SERVER.has(name)
    ? "this database belongs to the server"
    : "it is another database of the dump";
  return { name, reason };
}

function oplog(name: string): NotCopied {
  return {
    name,
    reason:
      "an oplog is not replayed: what was written while the dump was taken may be missing; mongorestore --oplogReplay replays it",
    isLoss: true,
  };
}

function linked(name: string): NotCopied {
  return { name, reason: "it is a link beside the databases, and links are not followed" };
}

async function productOf(folder: string, signal: AbortSignal): Promise<string> {
  return (await foundProduct(folder, signal)) ?? "mongodump";
}

async function foundProduct(folder: string, signal: AbortSignal): Promise<string | undefined> {
  for (const file of ["prelude.json", "prelude.json.gz"]) {
    try {
      const prelude = readJson(await textOfFile(join(folder, file), signal), 10);
      const version = prelude instanceof Map ? prelude.get("ToolVersion") : undefined;
      if (typeof version === "string") return productName(version);
    } catch {
      signal.throwIfAborted();
      // It is only a name for people.
    }
  }
  return undefined;
}
