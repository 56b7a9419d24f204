import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../../files/disk-error.ts";
import type { NotCopied } from "../../../model/collection.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import { BlockReader } from "../blocks/block-reader.ts";
import { readFileName } from "../file-names.ts";
import { type CollectionMetadata, readMetadataJson } from "../metadata-json.ts";
import type { OpenedArchive } from "../stored-collection.ts";
import { BadDump, documentsIn } from "./byte-queue.ts";
import { TemporaryFolder } from "./dump-collection.ts";
import { assertNoPointer, badDump, contentOf, stateOf, textOfFile } from "./dump-file.ts";
import { DUMP_FILE, type DumpedFiles, groupFiles, KNOWN_FILE } from "./dump-file-names.ts";
import {
  type FoundCollection,
  PROOF,
  readableCollections,
  type SurveyedDocuments,
} from "./found-collections.ts";
import { DumpSurvey } from "./survey.ts";

/** Opens the folder of one database as mongodump writes it. `others` is what lies beside it. */
export async function openDatabaseFolder(
  path: string,
  product: string,
  others: readonly NotCopied[],
  signal: AbortSignal,
): Promise<OpenedArchive> {
  const entries = await onDisk(path, "read", () => readdir(path, { withFileTypes: true }), ARCHIVE_HINTS);
  const notCopied = [...others];
  const files: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    const isDumped = DUMP_FILE.test(name);
    if (entry.isFile() && isDumped) files.push(name);
    else if (entry.isDirectory()) notCopied.push({ name, reason: "it is a folder beside the collections" });
    else if (isDumped)
      notCopied.push({ name, reason: "it is no file itself, and links are not followed", isLoss: true });
    else if (!KNOWN_FILE.test(name)) notCopied.push({ name, reason: "it is no file of a dump" });
  }
  const found = new Map<string, FoundCollection>();
  for (const group of groupFiles(files.sort())) {
    const one = await collectionIn(path, group, signal);
    if ("reason" in one) notCopied.push(one);
    else if (found.has(one.name)) {
      const reason = `other files of the dump hold a collection of this name, too: ${group.base} is left out`;
      notCopied.push({ name: one.name, reason, isLoss: true });
    } else found.set(one.name, one);
  }
  const folder = new TemporaryFolder();
  const readable = await readableCollections([...found.values()], notCopied, folder);
  return { product, ...readable, proof: PROOF, close: () => folder.remove() };
}

async function collectionIn(
  path: string,
  group: DumpedFiles,
  signal: AbortSignal,
): Promise<FoundCollection | NotCopied> {
  const metadata = await metadataIn(path, group, signal);
  const name = nameOf(group.base, typeof metadata === "object" ? metadata.name : undefined);
  if (name === undefined) {
    const reason = "neither the name of its files nor its metadata says what the collection is called";
    return { name: group.base, reason, isLoss: true };
  }
  const [file] = group.data;
  const survey = file === undefined ? undefined : () => surveyed(path, file, group.data, signal);
  return { name, metadata, survey };
}

async function metadataIn(
  path: string,
  { metadata: [file] }: DumpedFiles,
  signal: AbortSignal,
): Promise<CollectionMetadata | string | undefined> {
  if (file === undefined) return undefined;
  try {
    return readMetadataJson(await textOfFile(join(path, file), signal));
  } catch (error) {
    if (error instanceof DualsyncError && error.ofOneCollection)
      return "its metadata is a pointer of Git LFS";
    if (error instanceof RangeError) return "its metadata cannot be read";
    throw error;
  }
}

/** The name of files says it, but for names that are cut and for old versions, which did not encode them. */
function nameOf(base: string, inMetadata: string | undefined): string | undefined {
  const written = readFileName(base);
  if (inMetadata === base || written.kind !== "name") return inMetadata;
  return written.name;
}

async function surveyed(
  folder: string,
  file: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<SurveyedDocuments> {
  const path = join(folder, file);
  const gzip = file.endsWith(".gz");
  const state = await stateOf(path);
  const survey = new DumpSurvey(!gzip);
  const all = () => documentsIn(contentOf(path, gzip, signal));
  let damage: DualsyncError | undefined;
  try {
    await assertNoPointer(path);
    if (files.length > 1) throw new BadDump(`is not the only data of its collection: ${files.join(", ")}`);
    for await (const batch of all()) {
      survey.add(batch);
      batch.release();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BadDump) damage = badDump(path, error.message, error);
    else if (error instanceof DualsyncError) damage = error;
    else throw error;
  }
  const { documents, bytes, isAscending } = survey;
  const readAll = (reading: AbortSignal) => named(path, documentsIn(contentOf(path, gzip, reading)));
  const shared = { path, state, documents, bytes, isAscending, damage, all: readAll };
  if (gzip || damage !== undefined) return shared;
  return { ...shared, parts: new BlockReader({ path, gzip: false, list: survey.list() }) };
}

/** With the file's name on what is wrong with it. */
export async function* named<T>(path: string, stream: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* stream;
  } catch (error) {
    if (error instanceof BadDump) throw badDump(path, error.message, error);
    throw error;
  }
}
