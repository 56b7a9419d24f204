import { lstat, realpath } from "node:fs/promises";
import { join } from "node:path";
import { toOrdered } from "../../../bson/ordered.ts";
import { diskCode, onDisk } from "../../../files/disk-error.ts";
import type { Doc } from "../../../model/document.ts";
import type { CollectionInfo, Metadata } from "../../collection.ts";
import { ARCHIVE_HINTS, damaged, inFile, readPart, readWhole, wrongSize } from "../blocks/archive-file.ts";
import { BadBlockList, BlockList, sha256 } from "../blocks/block-list.ts";
import { BlockReader } from "../blocks/block-reader.ts";
import type { OpenedArchive, StoredCollection } from "../stored-collection.ts";
import {
  BadManifest,
  MANIFEST,
  type Manifest,
  type ManifestCollection,
  type NotedFile,
  readManifest,
} from "./manifest.ts";

const PROOF =
  "Every file of the archive is compared with the checksums that were noted when it was written. That proves that nothing was damaged, not that nobody forged it: there is no key.";

/** Whether a folder looks like a run, under whatever name: it has a manifest. */
export async function holdsRun(path: string): Promise<boolean> {
  try {
    await lstat(join(path, MANIFEST));
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(diskCode(error) ?? "")) return false;
    return await onDisk(path, "read", () => Promise.reject(error), ARCHIVE_HINTS);
  }
}

/** Opens a whole run of an archive, by the name of its folder: all of it but the documents is proved to be undamaged. */
export async function openRun(folder: string, name: string): Promise<OpenedArchive> {
  await assertFolder(folder, name);
  return await openFiles(join(folder, name), await manifestIn(join(folder, name)));
}

/** @throws DualsyncError `local` where it is damaged, newer, or not there */
export async function manifestIn(run: string): Promise<Manifest> {
  const path = join(run, MANIFEST);
  try {
    return readManifest(await inFile(path, (file, size) => readPart(file, path, 0, size)));
  } catch (error) {
    if (error instanceof BadManifest) throw damaged(path, error.message);
    throw error;
  }
}

/** What a manifest lists, in a folder that need not be whole yet. */
export async function openFiles(run: string, manifest: Manifest): Promise<OpenedArchive> {
  const { dualsync, command, source, from, to, verified, database } = manifest;
  if (manifest.collections.length > 0) await assertFolder(run, database);
  const collections: StoredCollection[] = [];
  for (const noted of manifest.collections) collections.push(await openCollection(run, manifest, noted));
  return {
    product: `dualsync ${dualsync}`,
    origin: { run: manifest.run, command, source: source.label, from, to, verified },
    collections,
    notCopied: manifest.lacks.map((lack) => ({ ...lack, reason: `the archive lacks it: ${lack.reason}` })),
    proof: PROOF,
    close: async () => undefined,
  };
}

/** A folder inside another that is there itself: a link could lead anywhere. */
async function assertFolder(parent: string, name: string): Promise<void> {
  const path = join(parent, name);
  const isFolder = await onDisk(
    path,
    "read",
    async () => {
      try {
        return (
          (await lstat(path)).isDirectory() && (await realpath(path)) === join(await realpath(parent), name)
        );
      } catch (error) {
        if (diskCode(error) === "ENOENT") throw damaged(path, "is missing", error);
        throw error;
      }
    },
    ARCHIVE_HINTS,
  );
  if (!isFolder) throw damaged(path, "is not a folder itself, and links are not followed");
}

async function openCollection(
  run: string,
  manifest: Manifest,
  noted: ManifestCollection,
): Promise<StoredCollection> {
  const folder = join(run, manifest.database);
  await readNoted(folder, noted.metadata);
  const { options, indexes } = definitionOf(folder, noted);
  const { name, kind, type, documents, bytes, partial, doubts, blueprint } = noted;
  const info: CollectionInfo = {
    name,
    kind,
    type,
    // Of this content: another run holds another collection of this name.
    uid: (noted.data?.blocks ?? noted.metadata).sha256,
    options,
    ordered: noted.ordered,
    ...(noted.idsAreUnique ? { idsAreUnique: true } : {}),
    ...(partial === undefined ? {} : { partial: `the archive does not hold all of it: ${partial}` }),
    documents,
    bytes,
  };
  const shared = { info, indexes, altered: doubts, blueprint };
  const reader = await readerOf(folder, manifest, noted);
  if (reader === undefined) return { ...shared, ...NO_DOCUMENTS };
  const stored: StoredCollection = {
    ...shared,
    read: (options) => reader.read(options),
    find: (ids, signal) => reader.find(ids, signal),
    count: (range, signal) => reader.count(range, signal),
    check: (signal) => reader.check(signal),
  };
  return kind === "collection" ? { ...stored, cut: (wanted, within) => reader.cut(wanted, within) } : stored;
}

/** Of a collection that is only defined. */
const NO_DOCUMENTS = {
  async *read() {},
  find: async () => new Map<string, Doc>(),
  count: async () => 0,
  check: async () => undefined,
};

async function readerOf(
  folder: string,
  { gzip }: Manifest,
  { data, documents, bytes, kind }: ManifestCollection,
): Promise<BlockReader | undefined> {
  if (data === undefined) return undefined;
  const blocks = await readNoted(folder, data.blocks);
  const path = join(folder, data.file);
  const list = blockList(join(folder, data.blocks.file), blocks);
  const agrees = list.documents === documents && list.bytes === bytes;
  if (!agrees || (kind === "collection" && !list.isOrdered))
    throw damaged(join(folder, data.blocks.file), "does not fit the manifest");
  await assertSize(path, list.storedBytes);
  return new BlockReader({ path, gzip, list });
}

function blockList(path: string, bytes: Buffer): BlockList {
  try {
    return new BlockList(bytes);
  } catch (error) {
    if (error instanceof BadBlockList) throw damaged(path, error.message);
    throw error;
  }
}

async function assertSize(path: string, wanted: number): Promise<void> {
  await inFile(path, async (_file, size) => {
    if (size !== wanted) throw wrongSize(path, size, wanted);
  });
}

async function readNoted(folder: string, { file, bytes, sha256: hash }: NotedFile): Promise<Buffer> {
  const path = join(folder, file);
  const content = await readWhole(path, bytes);
  if (sha256(content).toString("hex") !== hash) throw damaged(path, "is damaged: its checksum is wrong");
  return content;
}

interface StoredDefinition {
  readonly options: Metadata;
  readonly indexes: readonly Metadata[];
}

function definitionOf(folder: string, { name, definition }: ManifestCollection): StoredDefinition {
  try {
    const tree = toOrdered(definition);
    const [options, indexes] = [tree.get("options"), tree.get("indexes")];
    if (options instanceof Map && Array.isArray(indexes) && indexes.every((index) => index instanceof Map))
      return { options, indexes };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw damaged(join(folder, "..", MANIFEST), `holds no definition of ${name}`);
}
