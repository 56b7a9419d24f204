import { onDisk, refusal } from "../../files/disk-error.ts";
import { DualsyncError } from "../../model/errors.ts";
import { openTrustedFile } from "../files/trusted-file.ts";
import { FOLDER, StateFolder } from "./state-folder.ts";
import { DISCARD, decodeState, encodeState, LARGEST } from "./state-text.ts";

/**
 * What one job remembers between its runs: a JSON value in `.dualsync/<key>.json`. It is there as a whole or not at
 * all; what is not exactly as it was written is refused with a `local` error. Opening creates nothing.
 */
export class StateFile {
  /** For people: relative to the working directory. */
  readonly path: string;
  readonly #key: string;
  readonly #name: string;
  readonly #folder: StateFolder;
  #swept = false;
  #last: Promise<void> = Promise.resolve();

  /** `key`: 16 to 64 hexadecimal digits that name the job. */
  constructor(cwd: string, key: string) {
    if (!/^[0-9a-f]{16,64}$/.test(key))
      throw new DualsyncError("bug", "A job's key is 16 to 64 hexadecimal digits.");
    this.#key = key;
    this.#name = `${key}.json`;
    this.#folder = new StateFolder(cwd);
    this.path = `${FOLDER}/${this.#name}`;
  }

  /** The content that was written last; undefined when there is none. */
  read(): Promise<unknown | undefined> {
    return onDisk(this.path, "read", () => this.#content());
  }

  /** Replaces the content. Once this resolves it survives a loss of power. Calls take effect in their order. */
  write(content: unknown): Promise<void> {
    return this.#inTurn("written", () => {
      // Now, not when its turn comes: the caller may go on changing it.
      const bytes = encodeState(this.#key, content);
      return async () => {
        await this.#folder.make();
        await this.#folder.replace(this.#name, bytes);
        if (this.#swept) return;
        this.#swept = true;
        // The state is safe by now; that old rubbish stays is no reason to fail.
        await this.#folder.sweep().catch(() => undefined);
      };
    });
  }

  /** Removes the file, however damaged, and nothing else; no harm when there is none. */
  remove(): Promise<void> {
    return this.#inTurn("removed", () => () => this.#folder.remove(this.#name));
  }

  /** Proves, before a run relies on it, that the state can be written. */
  check(): Promise<void> {
    return this.#inTurn("written", () => async () => {
      await this.#folder.make();
      await this.#folder.probe();
    });
  }

  async #inTurn(doing: "written" | "removed", prepare: () => () => Promise<void>): Promise<void> {
    const act = prepare();
    const turn = this.#last.then(() => onDisk(this.path, doing, act));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #content(): Promise<unknown | undefined> {
    if (!(await this.#folder.exists())) return undefined;
    const opened = await openTrustedFile(this.#folder, this.#name, DISCARD);
    if (opened === undefined) return undefined;
    try {
      if (opened.size > LARGEST) throw refusal(this.path, "is larger than 256 MB", DISCARD);
      return decodeState(await opened.file.readFile(), this.#key, this.path);
    } finally {
      await opened.file.close();
    }
  }
}
