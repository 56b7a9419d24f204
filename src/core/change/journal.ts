/** Where core saves what it is about to overwrite or remove. How and where it is kept is not core's business. */
import type { CollectionInfo } from "../../connectors/collection.ts";

/**
 * What one document is before a change, and what the change makes of it. With neither, what was saved of the document last was not done
 * after all.
 */
export interface JournalEntry {
  /** Type byte and value bytes of the `_id`. */
  readonly id: Uint8Array;
  /** The document as it is; absent when there is none. */
  readonly before?: Uint8Array | undefined;
  /** The new document, by its SHA-256 and its length; absent when it should be removed. */
  readonly after?: JournaledDocument | undefined;
}

export interface JournaledDocument {
  readonly sha256: Uint8Array;
  readonly bytes: number;
  /** The document itself, where the store makes its documents from something else and may give it back in another form. */
  readonly document?: Uint8Array | undefined;
}

/** A collection of the target, distinguished from a later one of the same name. */
export type JournalCollection = Pick<CollectionInfo, "name" | "uid">;

export interface Journal {
  /**
   * Resolves when everything is saved for good and was read back; nothing may be changed before that. The entries are gone through
   * once, until then.
   */
  save(collection: JournalCollection, entries: Iterable<JournalEntry>): Promise<void>;
  /** The same for names of fields that the collection's own rules alter: what is in them says nothing of who wrote it. */
  saveAltered?(collection: JournalCollection, fields: readonly string[]): Promise<void>;
}

/** What is journaled of a job. */
export interface Journaling {
  readonly journal: Journal;
  readonly collection: JournalCollection;
  /** Everything that is written, as the collection holds documents that dualsync did not put there; else only removals. */
  readonly writes: boolean;
}
