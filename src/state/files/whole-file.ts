import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { onDisk, unlessAbsent } from "../../files/disk-error.ts";
import { syncFolder } from "../../files/durable-file.ts";
import { notAFile } from "../job/state-folder.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const PIECE = 1_000_000;

/**
 * A file that a person asked for by name: written bit by bit, there as a whole or not at all, readable by its owner.
 * Until it is whole it has no name: whatever ends the process before leaves nothing behind.
 */
export class WholeFile {
  readonly #path: string;
  #file: FileHandle | undefined;
  #last: Promise<void> = Promise.resolve();
  /** Not yet written: a call for each line would cost more than the lines. */
  #pending = "";

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws DualsyncError `local` where the folder cannot be written, or something that is no file has the name */
  static create(path: string): Promise<WholeFile> {
    return onDisk(path, "written", async () => {
      const there = await unlessAbsent(lstat(path));
      if (there !== undefined && !there.isFile()) throw notAFile(path);
      const { name, file } = await temporary(path);
      await unlink(name);
      return new WholeFile(path, file);
    });
  }

  /** Calls take effect in their order; where one fails, all later ones do, and `commit`. */
  write(text: string): Promise<void> {
    this.#pending += text;
    return this.#pending.length < PIECE ? this.#last : this.#flush();
  }

  /** Gives the file its name. Once this resolves it survives a loss of power. */
  async commit(): Promise<void> {
    await this.#flush();
    await onDisk(this.#path, "written", async () => {
      const { name, file } = await temporary(this.#path);
      try {
        await copy(this.#opened, file).finally(() => file.close());
        await rename(name, this.#path);
      } catch (error) {
        await unlink(name).catch(() => undefined);
        throw error;
      }
      await syncFolder(dirname(this.#path));
    });
    await this.discard();
  }

  /** Gives up what was not committed; no harm after `commit`. */
  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  #flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = "";
    this.#last = this.#last.then(() => onDisk(this.#path, "written", () => this.#opened.appendFile(text)));
    this.#last.catch(() => undefined);
    return this.#last;
  }

  get #opened(): FileHandle {
    if (this.#file === undefined) throw new RangeError("the file is closed");
    return this.#file;
  }
}

async function temporary(path: string): Promise<{ readonly name: string; readonly file: FileHandle }> {
  const name = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  return { name, file: await open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600) };
}

async function copy(from: FileHandle, to: FileHandle): Promise<void> {
  const piece = Buffer.alloc(PIECE);
  for (let at = 0; ; ) {
    const { bytesRead } = await from.read(piece, 0, PIECE, at);
    if (bytesRead === 0) break;
    await to.appendFile(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  await to.sync();
}
