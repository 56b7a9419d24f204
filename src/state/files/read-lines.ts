import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { onDisk, refusal, unlessAbsent } from "../../files/disk-error.ts";
import { notAFile } from "../job/state-folder.ts";

/** No line of ours is longer, in bytes. */
const LONGEST = 64_000_000;
const PIECE = 65_536;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const ADVICE = "It is not a dualsync file.";

// Not blocking: opening a named pipe would otherwise wait for somebody who writes into it.
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The lines of a file that a person names, without their ends, as they are stored: nothing but a line feed ends one.
 * @throws DualsyncError `local` where it cannot be read, is no text, or has a line that no file of ours has
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  const file = await opened(path);
  try {
    let parts: Buffer[] = [];
    let bytes = 0;
    for await (const piece of pieces(file, path)) {
      let from = 0;
      for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
        yield text(path, [...parts, piece.subarray(from, end)]);
        parts = [];
        bytes = 0;
        from = end + 1;
      }
      parts.push(piece.subarray(from));
      bytes += piece.length - from;
      if (bytes > LONGEST) throw refusal(path, "has a line of more than 64 MB", ADVICE);
    }
    if (bytes > 0) yield text(path, parts);
  } finally {
    await file.close();
  }
}

async function opened(path: string): Promise<FileHandle> {
  const file = await onDisk(path, "read", () => unlessAbsent(open(path, READ)));
  if (file === undefined) throw refusal(path, "does not exist", "Check its name.");
  try {
    if (!(await file.stat()).isFile()) throw notAFile(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* pieces(file: FileHandle, path: string): AsyncGenerator<Buffer> {
  for (;;) {
    // Memory of its own each time: lines that are not at their end yet are views of it.
    const piece = Buffer.allocUnsafe(PIECE);
    const { bytesRead } = await onDisk(path, "read", () => file.read(piece, 0, PIECE));
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}

function text(path: string, parts: readonly Buffer[]): string {
  const line = Buffer.concat(parts);
  const bytes = line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(path, "is not text", ADVICE);
  }
}
