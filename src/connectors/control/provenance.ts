import type { CollectionInfo } from "../collection.ts";
import type { Run } from "../contract.ts";
import { type History, type Provenance, RESTORE } from "../powers/run-history.ts";

/** Leaves in the target, durably, as the run's command does, where the content of a collection comes from. */
export type WriteProvenance = (
  collection: string,
  provenance: Provenance,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Remembers, in the target, which of its collections this program fills, and from where. A restore remembers it for as long as
 * it is not complete, and knows nothing of what copying runs have left there.
 */
export class ProvenanceBook {
  readonly #write: WriteProvenance;
  readonly #from: string;
  readonly #known: Map<string, Provenance>;

  constructor(write: WriteProvenance, { command, from }: Pick<Run, "command" | "from">, history: History) {
    this.#write = write;
    this.#from = from;
    this.#known = new Map(command === RESTORE ? history.restored : history.collections);
  }

  /** Whether dualsync created this particular collection, or found it empty. */
  isFromEmpty(name: string, uid: string | undefined): boolean {
    const known = this.#known.get(name);
    return known?.fromEmpty === true && known.uid === uid;
  }

  /**
   * To be called before the first document is written to the collection; `info` is as the source has it. A collection
   * that held documents when it was first noted stays such a one, also when it is found empty later: what others had
   * there may be put back.
   */
  async note(
    info: CollectionInfo,
    uid: string | undefined,
    fromEmpty: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    if (uid === undefined) return;
    const known = this.#known.get(info.name);
    const provenance: Provenance = {
      uid,
      fromEmpty: known?.uid === uid ? known.fromEmpty : fromEmpty,
      from: this.#from,
      ...(info.uid === undefined ? {} : { source: info.uid }),
    };
    if (known !== undefined && isSame(known, provenance)) return;
    await this.#write(info.name, provenance, signal);
    this.#known.set(info.name, provenance);
  }
}

function isSame(a: Provenance, b: Provenance): boolean {
  return a.uid === b.uid && a.fromEmpty === b.fromEmpty && a.from === b.from && a.source === b.source;
}
