import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../files/disk-error.ts";
import { syncFolder } from "../../files/durable-file.ts";
import { DualsyncError } from "../../model/errors.ts";
import { FOLDER, StateFolder } from "../job/state-folder.ts";
import {
  EntryRecord,
  encodeAltered,
  encodeFrame,
  encodeHead,
  encodeMark,
  type FrameKind,
  type JournalEnd,
  journalName,
  SEED,
  START,
  sizeOfEntry,
  type UndoCollection,
  type UndoEntry,
  type UndoHead,
  type UndoMark,
} from "./undo-format.ts";
import { sweepJournals } from "./undo-list.ts";

/** Bytes of one record; a single document may be more. */
const RECORD_BYTES = 32_000_000;

/** What a journal holds. */
export interface Saved {
  /** Documents that were there before, saved as they were. */
  readonly documents: number;
  /** Documents that are new, and known by their hash. */
  readonly added: number;
  /** Bytes of the journal. */
  readonly bytes: number;
}

/**
 * What a run is about to overwrite or remove, in `.dualsync/undo-<run>.journal`. The file is there from the first entry
 * on; then journals older than 30 days are removed.
 */
export class UndoJournal {
  readonly #cwd: string;
  readonly #head: UndoHead;
  #writer: UndoWriter | undefined;
  #last: Promise<void> = Promise.resolve();
  #documents = 0;
  #added = 0;

  constructor(cwd: string, head: UndoHead) {
    this.#cwd = cwd;
    this.#head = head;
  }

  get run(): string {
    return this.#head.run;
  }

  get saved(): Saved {
    return { documents: this.#documents, added: this.#added, bytes: this.#writer?.end.offset ?? 0 };
  }

  /** Makes sure that there is a journal, be it an empty one. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      this.#writer ??= await this.#begin();
    });
  }

  /**
   * Resolves once the entries are on the disk and were read back. Calls take effect in their order.
   * @throws DualsyncError `local`, and for every later call too, when that is not certain
   */
  save(collection: UndoCollection, entries: Iterable<UndoEntry>): Promise<void> {
    return this.#inTurn(async () => {
      for (const record of records(collection, entries)) {
        this.#writer ??= await this.#begin();
        await this.#writer.add("entries", record.end());
        this.#documents += record.documents;
        this.#added += record.added;
      }
    });
  }

  /** As `save`, for names of fields that a collection's own rules alter. */
  saveAltered(collection: UndoCollection, fields: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#writer ??= await this.#begin();
      await this.#writer.add("altered", encodeAltered({ collection, fields }));
    });
  }

  /** The run finished. */
  complete(): Promise<void> {
    return this.#inTurn(async () => await this.#writer?.add("mark", encodeMark("complete")));
  }

  /** To be called at the end, however the run ended. */
  async close(): Promise<void> {
    await this.#last;
    await this.#writer?.close();
  }

  async #begin(): Promise<UndoWriter> {
    const writer = await UndoWriter.create(this.#cwd, this.#head.run, encodeHead(this.#head));
    // That old journals stay is no reason to fail.
    await sweepJournals(this.#cwd, this.#head.run).catch(() => undefined);
    return writer;
  }

  async #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => undefined);
    await turn;
  }
}

/** Adds what becomes of a run's undoing to its journal, which was read to this end. @returns where it ends now */
export async function markJournal(
  cwd: string,
  run: string,
  end: JournalEnd,
  mark: UndoMark,
): Promise<JournalEnd> {
  const writer = await UndoWriter.open(cwd, run, end);
  try {
    await writer.add("mark", encodeMark(mark));
    return writer.end;
  } finally {
    await writer.close();
  }
}

function* records(collection: UndoCollection, entries: Iterable<UndoEntry>): Generator<EntryRecord> {
  let record = new EntryRecord(collection);
  for (const entry of entries) {
    if (!record.isEmpty && record.length + sizeOfEntry(entry) > RECORD_BYTES) {
      yield record;
      record = new EntryRecord(collection);
    }
    record.add(entry);
  }
  if (!record.isEmpty) yield record;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

/** Bytes read back at once. */
const PIECE = 1_000_000;

/** Adds records to a journal. Where one cannot be added, no other is: what stands behind it would look damaged. */
class UndoWriter {
  readonly #path: string;
  readonly #shown: string;
  readonly #file: FileHandle;
  #end: JournalEnd;
  #failure: { readonly error: unknown } | undefined;

  private constructor(folder: StateFolder, name: string, file: FileHandle, end: JournalEnd) {
    this.#path = join(folder.path, name);
    this.#shown = `${FOLDER}/${name}`;
    this.#file = file;
    this.#end = end;
  }

  /** Begins a journal, which is there for good, its name too, once this resolves. */
  static async create(cwd: string, run: string, head: Uint8Array): Promise<UndoWriter> {
    const name = journalName(run);
    const folder = new StateFolder(cwd);
    const writer = await onDisk(`${FOLDER}/${name}`, "written", async () => {
      await folder.make();
      const file = await open(join(folder.path, name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      return new UndoWriter(folder, name, file, { offset: 0, sum: SEED });
    });
    await writer.#write([START, encodeFrame("head", head, SEED)]);
    await onDisk(`${FOLDER}/${name}`, "written", () => syncFolder(folder.path));
    return writer;
  }

  /** Continues a journal that was read to this end; what stands behind it was not written whole, and goes. */
  static async open(cwd: string, run: string, end: JournalEnd): Promise<UndoWriter> {
    const name = journalName(run);
    const folder = new StateFolder(cwd);
    return await onDisk(`${FOLDER}/${name}`, "written", async () => {
      await folder.exists();
      const file = await open(join(folder.path, name), O_RDWR | O_NOFOLLOW);
      await file.truncate(end.offset);
      return new UndoWriter(folder, name, file, end);
    });
  }

  /** Where the journal ends now. */
  get end(): JournalEnd {
    return this.#end;
  }

  /** Resolves when the record is on the disk and was read back from there. */
  async add(kind: FrameKind, payload: Uint8Array): Promise<void> {
    await this.#write([encodeFrame(kind, payload, this.#end.sum)]);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      await onDisk(this.#shown, "written", () => this.#append(Buffer.concat(parts)));
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    const { offset } = this.#end;
    for (let at = 0; at < bytes.length; )
      at += (await this.#file.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
    // Never tried again: after a failed fsync the system may call bytes safe that it has thrown away.
    await this.#file.sync();
    await this.#readBack(bytes, offset);
    this.#end = { offset: offset + bytes.length, sum: bytes.subarray(-32) };
  }

  /** By its name, as whoever needs it one day will read it. */
  async #readBack(bytes: Buffer, offset: number): Promise<void> {
    const file = await open(this.#path, O_RDONLY | O_NOFOLLOW);
    try {
      const piece = Buffer.alloc(Math.min(PIECE, bytes.length));
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, bytes.length - at), offset + at);
        const same = bytesRead > 0 && piece.subarray(0, bytesRead).equals(bytes.subarray(at, at + bytesRead));
        if (!same) throw this.#unsaved();
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  #unsaved(): DualsyncError {
    return new DualsyncError("local", `${this.#shown} does not hold what was just written to it.`, {
      hint: "The documents that it should have saved were not changed. Check the disk, and that nothing else writes to that folder; then run the same command again.",
    });
  }
}
