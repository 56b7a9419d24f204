/** The files of a dump: how they are read, and what is said of damaged ones. */
import type { FileHandle } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { onDisk } from "../../../files/disk-error.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { ARCHIVE_HINTS, openFile } from "../blocks/archive-file.ts";
import { BadDump } from "./byte-queue.ts";

const CHUNK_BYTES = 1_000_000;
const GZIP = Buffer.from([0x1f, 0x8b]);
const LFS = "version https://git-lfs";
/** Of a file that is read as a whole. */
const MOST_TEXT_BYTES = 64_000_000;

/** `problem` continues a sentence that begins with the file. */
export function badDump(path: string, problem: string, cause?: unknown): DualsyncError {
  return new DualsyncError("local", `${path} ${problem}.`, {
    hint: "Nothing was changed. Fetch the file again from where the dump is kept, take another dump, or leave the collection out with --exclude.",
    ofOneCollection: true,
    cause,
  });
}

/** What tells whether a file is still the same. */
export interface FileState {
  readonly size: number;
  readonly modified: number;
}

export async function stateOf(path: string): Promise<FileState> {
  return await opened(path, async (file) => {
    const { size, mtimeMs } = await onDisk(path, "read", () => file.stat(), ARCHIVE_HINTS);
    return { size, modified: mtimeMs };
  });
}

/** The first bytes, or fewer where there are fewer. */
export async function startOf(path: string, length: number): Promise<Buffer> {
  return await opened(path, async (file) => {
    const start = Buffer.alloc(length);
    const { bytesRead } = await onDisk(path, "read", () => file.read(start, 0, length, 0), ARCHIVE_HINTS);
    return start.subarray(0, bytesRead);
  });
}

export function isGzip(start: Uint8Array): boolean {
  return GZIP.equals(start.subarray(0, 2));
}

/** Fails where a pointer of Git LFS lies in the place of the file. */
export async function assertNoPointer(path: string): Promise<void> {
  if ((await startOf(path, LFS.length)).toString("latin1") !== LFS) return;
  throw new DualsyncError("local", `${path} is a pointer of Git LFS, not the data.`, {
    hint: "Nothing was changed. Run: git lfs pull",
    ofOneCollection: true,
  });
}

async function opened<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** The content, uncompressed. Throws BadDump where it is not well compressed. */
export async function* contentOf(
  path: string,
  gzip: boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!gzip) {
    yield* chunksOf(path, signal);
    return;
  }
  const unpacker = createGunzip({ chunkSize: 256_000 });
  let given = 0;
  let failure: unknown;
  const feeding = (async () => {
    try {
      for await (const chunk of chunksOf(path, signal)) {
        given += chunk.length;
        if (unpacker.destroyed) return;
        if (!unpacker.write(chunk)) await drained(unpacker);
      }
      unpacker.end();
    } catch (error) {
      failure = error;
      unpacker.destroy(error instanceof Error ? error : undefined);
    }
  })();
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
    await feeding;
    // The unpacker passes over what follows a zero byte, and says nothing.
    if (unpacker.bytesWritten !== given) throw new BadDump("has something else behind its compressed data");
  } catch (error) {
    if (failure !== undefined) throw failure;
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))
      throw new BadDump("is cut off or damaged: it cannot be unpacked", { cause: error });
    throw error;
  } finally {
    unpacker.destroy();
    await feeding;
  }
}

async function drained(unpacker: ReturnType<typeof createGunzip>): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const event of ["drain", "close", "error", "end"]) unpacker.once(event, () => resolve());
  });
}

async function* chunksOf(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await openFile(path);
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const { bytesRead } = await onDisk(path, "read", () => file.read(chunk, 0, CHUNK_BYTES), ARCHIVE_HINTS);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A whole file of text. */
export async function textOfFile(path: string, signal: AbortSignal): Promise<string> {
  await assertNoPointer(path);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of contentOf(path, path.endsWith(".gz"), signal)) {
    length += part.length;
    if (length > MOST_TEXT_BYTES) throw new BadDump("is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
