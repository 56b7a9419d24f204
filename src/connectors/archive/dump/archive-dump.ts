import type { Batch } from "../../../model/document.ts";
import { type CollectionMetadata, readMetadataJson } from "../metadata-json.ts";
import type { OpenedArchive } from "../stored-collection.ts";
import { type ArchivePrelude, ArchiveStream } from "./archive-format.ts";
import { BadDump } from "./byte-queue.ts";
import { Crc64 } from "./crc64.ts";
import { named } from "./database-folder.ts";
import { TemporaryFolder } from "./dump-collection.ts";
import {
  assertNoPointer,
  badDump,
  contentOf,
  type FileState,
  isGzip,
  startOf,
  stateOf,
} from "./dump-file.ts";
import { productName } from "./dump-file-names.ts";
import {
  BUCKETS,
  type FoundCollection,
  readableCollections,
  type SurveyedDocuments,
} from "./found-collections.ts";
import { DumpSurvey } from "./survey.ts";

const PROOF =
  "The documents of each collection are compared with the CRC that mongodump noted, and their structure was checked. Names, options and indexes have no checksum.";

/** An archive file, and how its content is read. */
interface ArchiveSource {
  readonly path: string;
  readonly gzip: boolean;
  readonly state: FileState;
}

/** What is known of one collection when all was read. */
interface SurveyedNamespace {
  readonly survey: DumpSurvey;
  readonly crc: Crc64;
  isEnded: boolean;
  problem: string | undefined;
}

/** Opens the file that `mongodump --archive` wrote. `choose` is given the databases in it, and tells which one is meant. */
export async function openArchiveFile(
  path: string,
  choose: (databases: readonly string[]) => string,
  signal: AbortSignal,
): Promise<OpenedArchive> {
  await assertNoPointer(path);
  const source: ArchiveSource = { path, gzip: isGzip(await startOf(path, 2)), state: await stateOf(path) };
  const stream = new ArchiveStream(contentOf(path, source.gzip, signal));
  try {
    const prelude = await preludeOf(path, stream);
    const databases = [...new Set(prelude.collections.map(({ database }) => database))];
    const database = choose(databases.filter((name) => name !== ""));
    const { namespaces, problem } = await surveyAll(stream, database, signal);
    const found = foundIn(source, prelude, database, namespaces, problem);
    const others = databases
      .filter((name) => name !== database)
      .map((name) =>
        name === ""
          ? {
              name: "oplog",
              reason: "an oplog is not replayed: mongorestore --oplogReplay does it",
              isLoss: true as const,
            }
          : { name, reason: "it is another database of the dump" },
      );
    const folder = new TemporaryFolder();
    const readable = await readableCollections(found, others, folder);
    return { product: productName(prelude.tool), ...readable, proof: PROOF, close: () => folder.remove() };
  } finally {
    await stream.close();
  }
}

async function preludeOf(path: string, stream: ArchiveStream): Promise<ArchivePrelude> {
  try {
    return await stream.prelude();
  } catch (error) {
    if (error instanceof BadDump) throw badDump(path, error.message, error);
    throw error;
  }
}

/** Reads everything once. `problem`: why it ended early. */
async function surveyAll(stream: ArchiveStream, wanted: string, signal: AbortSignal) {
  const namespaces = new Map<string, SurveyedNamespace>();
  let problem: string | undefined;
  try {
    for await (const event of stream.events()) {
      signal.throwIfAborted();
      if (event.database !== wanted) continue;
      const space = namespaces.get(event.collection) ?? {
        survey: new DumpSurvey(false),
        crc: new Crc64(),
        isEnded: false,
        problem: undefined,
      };
      namespaces.set(event.collection, space);
      if (space.isEnded) space.problem ??= "has more of it behind its end";
      if (event.kind === "documents") add(space, event.batch);
      else {
        space.isEnded = true;
        if (space.crc.value !== event.crc) space.problem ??= "is damaged: the CRC of its documents is wrong";
      }
    }
  } catch (error) {
    if (!(error instanceof BadDump)) throw error;
    problem = error.message;
  }
  return { namespaces, problem };
}

function add(space: SurveyedNamespace, batch: Batch): void {
  space.crc.add(batch.bytes);
  try {
    if (space.problem === undefined) space.survey.add(batch);
  } catch (error) {
    if (!(error instanceof BadDump)) throw error;
    space.problem = error.message;
  }
  batch.release();
}

function foundIn(
  source: ArchiveSource,
  prelude: ArchivePrelude,
  database: string,
  namespaces: ReadonlyMap<string, SurveyedNamespace>,
  problem: string | undefined,
): readonly FoundCollection[] {
  const listed = prelude.collections.filter((one) => one.database === database);
  const found = new Map<string, FoundCollection>();
  for (const { collection: name, metadata: text } of listed) {
    if (found.has(name)) continue;
    const metadata = metadataOf(text);
    const space = namespaces.get(name);
    const survey = () => Promise.resolve(surveyedOf(source, database, name, space, problem));
    found.set(name, { name, metadata, survey });
  }
  for (const [name, space] of namespaces) {
    if (found.has(name)) continue;
    const isBuckets = name.startsWith(BUCKETS) && found.has(name.slice(BUCKETS.length));
    const survey = () => Promise.resolve(surveyedOf(source, database, name, space, problem));
    found.set(name, { name, metadata: isBuckets ? undefined : "the dump does not list it", survey });
  }
  return [...found.values()];
}

function metadataOf(text: string): CollectionMetadata | string | undefined {
  if (text === "") return undefined;
  try {
    return readMetadataJson(text);
  } catch (error) {
    if (error instanceof RangeError) return "its metadata cannot be read";
    throw error;
  }
}

function surveyedOf(
  source: ArchiveSource,
  database: string,
  collection: string,
  space: SurveyedNamespace | undefined,
  problem: string | undefined,
): SurveyedDocuments {
  const { path, gzip, state } = source;
  const { documents = 0, bytes = 0, isAscending = true } = space?.survey ?? {};
  const isWhole = space?.isEnded === true && space.problem === undefined;
  const why =
    space?.problem ??
    problem ??
    (space === undefined ? "lists it, and does not hold it" : "does not hold it to its end");
  const damage = isWhole ? undefined : badDump(`${path} (${collection})`, why);
  const all = (signal: AbortSignal) =>
    named(path, documentsOf(contentOf(path, gzip, signal), database, collection));
  return { path, state, documents, bytes, isAscending, damage, all };
}

async function* documentsOf(
  content: AsyncIterable<Uint8Array>,
  database: string,
  collection: string,
): AsyncGenerator<Batch> {
  const stream = new ArchiveStream(content);
  try {
    await stream.prelude();
    for await (const event of stream.events()) {
      if (event.database !== database || event.collection !== collection) continue;
      if (event.kind === "end") return;
      yield event.batch;
    }
  } finally {
    await stream.close();
  }
}
