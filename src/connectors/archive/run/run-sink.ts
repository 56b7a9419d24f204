import { lstat, mkdir, rename, rm, rmdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskCode, onDisk, unlessAbsent } from "../../../files/disk-error.ts";
import { replaceFile, syncFolder } from "../../../files/durable-file.ts";
import type { CollectionInfo, Metadata } from "../../collection.ts";
import type { Published, Reader, Sink, SinkCollection } from "../../contract.ts";
import type { BlueprintWriter } from "../../powers/blueprints.ts";
import { archiveReader } from "../archive-reader.ts";
import { ARCHIVE_HINTS, writing } from "../blocks/archive-file.ts";
import { collectionFileName } from "../file-names.ts";
import { CollectionFiles } from "./collection-files.ts";
import { removeLeftovers } from "./leftovers.ts";
import { isFileName, MANIFEST, type Manifest, type RunSource, writeManifest } from "./manifest.ts";
import { openFiles } from "./open-run.ts";
import { partialName, runName } from "./run-name.ts";

export interface ArchiveRunOptions {
  /** The run's id. */
  readonly run: string;
  readonly command: string;
  readonly source: RunSource;
  /** The name of the source's database; it becomes that of a folder. */
  readonly database: string;
  readonly gzip: boolean;
  /** Of dualsync. */
  readonly version: string;
  readonly now: () => Date;
}

/** Begins a run in the folder of an archive, which is made where it is missing. What killed runs left there a day ago or more is removed. */
export async function beginRun(folder: string, options: ArchiveRunOptions): Promise<Sink> {
  const start = options.now();
  const name = runName(start, options.run);
  await makeFolder(folder);
  await removeLeftovers(folder, start);
  await writing(join(folder, name), () => makePartial(folder, name));
  return new RunSink(folder, name, start, options);
}

/** Of a name that nothing has. */
async function makePartial(folder: string, name: string): Promise<void> {
  const partial = join(folder, partialName(name));
  try {
    await mkdir(partial, { mode: 0o700 });
    if ((await unlessAbsent(lstat(join(folder, name)))) === undefined) return;
  } catch (error) {
    if (diskCode(error) !== "EEXIST") await rmdir(partial).catch(() => undefined);
    throw error;
  }
  await rmdir(partial);
  throw new Error(`The run ${name} is there already.`);
}

/** Also makes it outlast a loss of power. */
async function makeFolder(folder: string): Promise<void> {
  await writing(folder, async () => {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made))
      await syncFolder(dirname(made));
  });
}

class RunSink implements Sink {
  readonly #folder: string;
  readonly #start: Date;
  readonly #options: ArchiveRunOptions;
  readonly #partial: string;
  readonly #whole: string;
  readonly #database: string;
  readonly #taken = new Set<string>();
  readonly #collections: CollectionFiles[] = [];
  readonly #texts = new Map<string, string>();
  #end: Date;
  #hasFolder = false;
  #isSealed = false;
  #isNamed = false;
  #isPublished = false;

  constructor(folder: string, name: string, start: Date, options: ArchiveRunOptions) {
    this.#folder = folder;
    this.#start = start;
    this.#end = start;
    this.#options = options;
    this.#partial = join(folder, partialName(name));
    this.#whole = join(folder, name);
    this.#database = databaseFolder(options.database);
  }

  readonly blueprints: BlueprintWriter = {
    leave: async (collection, blueprint) => {
      this.#texts.set(collection, blueprint);
    },
  };

  async begin(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    signal: AbortSignal,
  ): Promise<SinkCollection> {
    signal.throwIfAborted();
    if (this.#isSealed || this.#collections.some(({ name }) => name === info.name))
      throw new Error(`The collection ${info.name} cannot be begun now.`);
    if (!this.#hasFolder) {
      const path = join(this.#partial, this.#database);
      await writing(path, () => mkdir(path, { mode: 0o700 }));
      this.#hasFolder = true;
    }
    const file = collectionFileName(info.name, this.#taken);
    this.#taken.add(file.toLowerCase());
    const files = await CollectionFiles.create(info, indexes, {
      run: this.#partial,
      database: this.#database,
      file,
      gzip: this.#options.gzip,
    });
    this.#collections.push(files);
    return {
      write: (batch, during) => files.write(batch, during),
      end: async (read, during) => {
        await files.end(read, during);
        this.#end = this.#options.now();
      },
    };
  }

  async reopen(signal: AbortSignal): Promise<Reader> {
    signal.throwIfAborted();
    await this.#seal();
    const manifest = this.#manifest({ verified: false, lacks: [] });
    const now = this.#options.now();
    // Nothing is written while all of it is read: it is not left behind.
    await writing(this.#partial, () => utimes(this.#partial, now, now));
    return archiveReader(this.#whole, () => openFiles(this.#partial, manifest));
  }

  async publish(done: Published, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#seal();
    const manifest = writeManifest(this.#manifest(done));
    await writing(this.#whole, async () => {
      if (this.#hasFolder) await syncFolder(join(this.#partial, this.#database));
      await replaceFile(this.#partial, MANIFEST, manifest);
      // An error does not say that it did not happen.
      this.#isNamed = true;
      await rename(this.#partial, this.#whole);
      await syncFolder(this.#folder);
    });
    this.#isPublished = true;
  }

  async discard(): Promise<void> {
    if (this.#isPublished) return;
    for (const files of this.#collections) await files.close();
    await onDisk(
      this.#partial,
      "removed",
      async () => {
        // It may have its name, and is not known to be durable: nothing may take it for whole.
        if (this.#isNamed) await unlessAbsent(rename(this.#whole, this.#partial));
        await rm(this.#partial, { recursive: true, force: true });
      },
      ARCHIVE_HINTS,
    );
  }

  /** What was not ended is not part of the run. */
  async #seal(): Promise<void> {
    this.#isSealed = true;
    for (const files of this.#collections) if (files.noted === undefined) await files.remove();
  }

  #manifest({ verified, lacks }: Published): Manifest {
    const { version, run, command, source, gzip } = this.#options;
    return {
      dualsync: version,
      run,
      command,
      source,
      from: this.#start,
      to: this.#end,
      verified,
      database: this.#database,
      gzip,
      collections: this.#collections.flatMap(({ name, noted }) =>
        noted === undefined ? [] : [{ ...noted, blueprint: this.#texts.get(name) }],
      ),
      lacks,
    };
  }
}

/** The database's own name where it can be that of a folder, as mongorestore reads it. */
function databaseFolder(database: string): string {
  const isPlain = isFileName(database) && !database.startsWith(".") && Buffer.byteLength(database) <= 200;
  return isPlain ? database : collectionFileName(database.replace(/^\.*$/, "data$&"));
}
