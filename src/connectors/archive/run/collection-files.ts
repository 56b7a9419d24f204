import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Int32, serialize } from "bson";
import { onDisk, unlessAbsent } from "../../../files/disk-error.ts";
import type { Batch } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Metadata } from "../../collection.ts";
import type { AsRead } from "../../contract.ts";
import { ARCHIVE_HINTS, createFile, writing } from "../blocks/archive-file.ts";
import { sha256 } from "../blocks/block-list.ts";
import { BlockWriter, OutOfOrder } from "../blocks/block-writer.ts";
import { Spool } from "../blocks/spool.ts";
import { writeMetadataJson } from "../metadata-json.ts";
import type { ManifestCollection, NotedFile } from "./manifest.ts";

const compress = promisify(gzip);

export interface CollectionPlace {
  /** The run's folder. */
  readonly run: string;
  /** The folder of the files in it. */
  readonly database: string;
  /** The files' name, without its ending. */
  readonly file: string;
  readonly gzip: boolean;
}

/** The files of one collection while they are written. */
export class CollectionFiles {
  readonly #info: CollectionInfo;
  readonly #place: CollectionPlace;
  readonly #definition: Uint8Array;
  /** The content of the metadata file. */
  readonly #text: string;
  #writer: BlockWriter | undefined;
  #spool: Spool | undefined;
  #noted: ManifestCollection | undefined;

  private constructor(info: CollectionInfo, indexes: readonly Metadata[], place: CollectionPlace) {
    this.#info = info;
    this.#place = place;
    this.#definition = definitionOf(info, indexes);
    this.#text = metadataText(info, indexes);
  }

  static async create(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    place: CollectionPlace,
  ): Promise<CollectionFiles> {
    const files = new CollectionFiles(info, indexes, place);
    if (info.kind === "collection" && !info.ordered) files.#spool = await Spool.create(place.run);
    else if (info.kind !== "definition") files.#writer = await files.#newWriter();
    return files;
  }

  get name(): string {
    return this.#info.name;
  }

  /** What the manifest says of it, once it is on the disk. */
  get noted(): ManifestCollection | undefined {
    return this.#noted;
  }

  async write(batch: Batch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await (this.#spool?.add(batch) ?? this.#writer?.add(batch).catch((error) => this.#fail(error)));
  }

  async end({ partial, doubts }: AsRead, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#takeSpooled(signal);
    const written = await this.#writer?.end();
    const { name, type, kind, uid } = this.#info;
    const blocks = written === undefined ? undefined : await this.#write(this.#files.blocks, written.list);
    this.#noted = {
      name,
      type,
      kind,
      uid,
      ordered: kind === "collection" || this.#info.ordered,
      idsAreUnique: kind === "collection" && written?.idsAreUnique === true,
      documents: written?.documents ?? 0,
      bytes: written?.bytes ?? 0,
      definition: this.#definition,
      partial,
      doubts,
      metadata: await this.#write(this.#files.metadata, await this.#metadata()),
      data: blocks === undefined ? undefined : { file: this.#files.data, blocks },
    };
  }

  /** Lets go of the files, and leaves them as they are. */
  async close(): Promise<void> {
    await this.#writer?.abandon();
    await this.#spool?.discard();
  }

  /** Removes what was not ended. */
  async remove(): Promise<void> {
    await this.close();
    for (const file of Object.values(this.#files)) {
      const path = this.#path(file);
      await onDisk(path, "removed", () => unlessAbsent(unlink(path)), ARCHIVE_HINTS);
    }
  }

  get #files(): Readonly<Record<"data" | "metadata" | "blocks", string>> {
    const { file, gzip } = this.#place;
    const packed = gzip ? ".gz" : "";
    return {
      data: `${file}.bson${packed}`,
      metadata: `${file}.metadata.json${packed}`,
      blocks: `${file}.blocks`,
    };
  }

  #path(file: string): string {
    return join(this.#place.run, this.#place.database, file);
  }

  async #newWriter(): Promise<BlockWriter> {
    const ordered = this.#info.kind === "collection";
    return await BlockWriter.create(this.#path(this.#files.data), { gzip: this.#place.gzip, ordered });
  }

  async #takeSpooled(signal: AbortSignal): Promise<void> {
    if (this.#spool === undefined) return;
    this.#writer = await this.#newWriter();
    for await (const batch of this.#spool.sorted(signal)) await this.#writer.add(batch);
    await this.#spool.discard();
  }

  async #metadata(): Promise<Buffer> {
    const text = Buffer.from(this.#text);
    return this.#place.gzip ? await compress(text) : text;
  }

  async #write(file: string, bytes: Buffer): Promise<NotedFile> {
    const path = this.#path(file);
    const opened = await createFile(path);
    try {
      await writing(path, async () => {
        await opened.writeFile(bytes);
        await opened.sync();
      });
    } finally {
      await writing(path, () => opened.close());
    }
    return { file, bytes: bytes.length, sha256: sha256(bytes).toString("hex") };
  }

  #fail(error: unknown): never {
    if (!(error instanceof OutOfOrder)) throw error;
    throw new DualsyncError(
      "source",
      `The documents of ${this.name} did not come in the order of their ids.`,
      {
        hint: "It is not part of the archive. Run the same command again.",
        ofOneCollection: true,
      },
    );
  }
}

const UUID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/;
const ID_INDEX: Metadata = new Map<string, unknown>([
  ["v", new Int32(2)],
  ["key", new Map([["_id", new Int32(1)]])],
  ["name", "_id_"],
]);

/** What mongorestore creates the collection with. */
function metadataText({ name, kind, uid, options }: CollectionInfo, indexes: readonly Metadata[]): string {
  const special = kind === "definition" ? "view" : options.has("timeseries") ? "timeseries" : undefined;
  const hasIdIndex = special === undefined && !options.has("clusteredIndex");
  return writeMetadataJson({
    name,
    type: special ?? "collection",
    uuid: uid !== undefined && UUID.test(uid) ? uid : undefined,
    options,
    indexes: hasIdIndex ? [ID_INDEX, ...indexes] : indexes,
  });
}

function definitionOf({ name, options }: CollectionInfo, indexes: readonly Metadata[]): Uint8Array {
  try {
    return serialize({ options, indexes });
  } catch (error) {
    throw new DualsyncError(
      "incomplete",
      `The definition of ${name} cannot be written down without being altered.`,
      {
        hint: "It is not part of the archive.",
        ofOneCollection: true,
        cause: error,
      },
    );
  }
}
