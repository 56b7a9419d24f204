/**
 * Documents that the target refused because another one of it holds a value that must be unique: they are written once the
 * others have become what they should be.
 */
import type { DocumentId } from "../../model/document.ts";

/** One of them, and why it was refused. */
export interface BlockedDocument {
  readonly id: DocumentId;
  readonly reason: string;
}

/** Of one collection; more are rejected at once. */
export const MOST_BLOCKED = 100_000;

/** Those of a collection, or of a part of it, each once. */
export class Blocked {
  readonly #documents = new Map<string, BlockedDocument>();

  get size(): number {
    return this.#documents.size;
  }

  get documents(): readonly BlockedDocument[] {
    return [...this.#documents.values()];
  }

  /** @returns false where it holds too many already: the document is not remembered */
  add({ id, reason }: BlockedDocument): boolean {
    if (this.#documents.size >= MOST_BLOCKED) return false;
    this.#documents.set(id.key, { id: id.copy(), reason });
    return true;
  }

  /** @returns those that it has no room for */
  merge(part: Blocked): readonly BlockedDocument[] {
    return part.documents.filter((one) => !this.add(one));
  }

  clear(): void {
    this.#documents.clear();
  }
}
