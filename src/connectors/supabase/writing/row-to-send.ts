import type { Doc } from "../../../model/document.ts";

/** A document as the row that is sent for it. */
export interface RowToSend {
  readonly doc: Doc;
  /** Equal for rows with the same columns: others must not stand in one request, or what one lacks becomes null. */
  readonly shape: string;
  readonly columns: readonly string[];
  /** The columns' JSON, in their order. */
  readonly texts: readonly string[];
  /** The row's JSON. */
  readonly text: string;
}
