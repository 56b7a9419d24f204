import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { onDisk, unlessAbsent } from "./disk-error.ts";
import { syncFolder } from "./durable-file.ts";
import { notAFile } from "./state-folder.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** A file that a person asked for by name: written bit by bit, there as a whole or not at all, readable by its owner. */
export class WholeFile {
  readonly #path: string;
  readonly #temporary: string;
  #file: FileHandle | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** @throws DualsyncError `local` where the folder cannot be written, or something that is no file has the name */
  static create(path: string): Promise<WholeFile> {
    return onDisk(path, "written", async () => {
      const there = await unlessAbsent(lstat(path));
      if (there !== undefined && !there.isFile()) throw notAFile(path);
      const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
      return new WholeFile(
        path,
        temporary,
        await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
      );
    });
  }

  /** Calls take effect in their order. */
  write(text: string): Promise<void> {
    const turn = this.#last.then(() => onDisk(this.#path, "written", () => this.#opened.appendFile(text)));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Gives the file its name. Once this resolves it survives a loss of power. */
  async commit(): Promise<void> {
    await this.#last;
    await onDisk(this.#path, "written", async () => {
      await this.#opened.sync();
      await this.#opened.close();
      this.#file = undefined;
      await rename(this.#temporary, this.#path);
      await syncFolder(dirname(this.#path));
    });
  }

  /** Removes what was not committed; no harm after `commit`. */
  async discard(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.close().catch(() => undefined);
    this.#file = undefined;
    await unlink(this.#temporary).catch(() => undefined);
  }

  get #opened(): FileHandle {
    if (this.#file === undefined) throw new RangeError("the file is closed");
    return this.#file;
  }
}
