import { encodeEntries, sizeOfEntry, type UndoCollection, type UndoEntry } from "./undo-entry.ts";
import { encodeHead, encodeMark, type UndoHead, type UndoMark } from "./undo-head.ts";
import { sweepJournals } from "./undo-list.ts";
import type { JournalEnd } from "./undo-reader.ts";
import { UndoWriter } from "./undo-writer.ts";

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

  /**
   * Resolves once the entries are on the disk and were read back. Calls take effect in their order.
   * @throws DualsyncError `local`, and for every later call too, when that is not certain
   */
  save(collection: UndoCollection, entries: readonly UndoEntry[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const some of records(entries)) {
        this.#writer ??= await this.#begin();
        await this.#writer.add("entries", encodeEntries(collection, some));
        for (const { before } of some) {
          if (before === undefined) this.#added++;
          else this.#documents++;
        }
      }
    });
  }

  /** The run came to its end. */
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

function* records(entries: readonly UndoEntry[]): Generator<readonly UndoEntry[]> {
  let some: UndoEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += sizeOfEntry(entry);
    if (some.length > 0 && bytes > RECORD_BYTES) {
      yield some;
      some = [];
      bytes = sizeOfEntry(entry);
    }
    some.push(entry);
  }
  if (some.length > 0) yield some;
}
