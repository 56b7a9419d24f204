/** One document of a target that is to be changed, and what became of it. */
import type { NotReproduced, Target } from "../../connectors/connector.ts";
import type { Doc, DocumentId } from "../../document.ts";
import type { Journal, JournalCollection } from "../journal.ts";

export interface Change {
  readonly id: DocumentId;
  /** The document that is to be there; absent to remove the one that is. */
  readonly wanted?: Uint8Array | undefined;
  /** Bytes that the target's document is believed to take up: bounds what is read at once. */
  readonly bytes?: number | undefined;
  /** Whether what the target holds now, or that it holds nothing, may be changed. */
  accepts(found: Doc | undefined): boolean;
}

/**
 * `changed`: done, and seen to be so. `unchanged`: it was so already. `conflict`: the target holds something else than
 * was expected, and was left as it is. `refused`: the server did not take it, or does not hold it as it was written.
 */
export interface Outcome {
  readonly change: Change;
  readonly result: "changed" | "unchanged" | "conflict" | "refused";
  /** For people, without any value of the document; of conflicts and refusals. */
  readonly reason?: string;
  /** What stood in its way may be gone once other documents are changed: another try is no harm. */
  readonly retry?: true;
}

export interface ChangeOptions {
  /** What a change overwrites or removes is saved here before. */
  readonly journal?: Journal | undefined;
  /** Only look: what would be changed counts as changed. */
  readonly dryRun?: boolean | undefined;
  /** Documents that hold each other's unique values are taken out together, and put in. Default: true. */
  readonly unties?: boolean | undefined;
  /** What another try has saved of documents, by `DocumentId.key`: it is not saved again. */
  readonly saved?: Map<string, string>;
  /** Called for each part of the documents that the target has no place for. */
  readonly onLost?: (lost: NotReproduced) => void;
  readonly signal: AbortSignal;
}

/** Where and how changes are made. */
export interface Work extends ChangeOptions {
  readonly target: Target;
  readonly collection: JournalCollection;
  readonly saved: Map<string, string>;
}
