/** Where the keys of a copy lie in a store. What differs between the layouts is behind this; all else is one. */
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";
import type { CollectionInfo, ReadOptions, Selection } from "../../collection.ts";
import type { Powers, Store, With } from "../../contract.ts";
import type { LayoutSurvey } from "../../copy-layouts.ts";
import type { GuardedWrite } from "../../powers/guarded-writes.ts";
import type { ShownRecord } from "./records.ts";

/** A store that can hold a copy of keys. */
export type KeyStore = Store & With<"lookup"> & Required<Pick<Store, "claim">>;

/** A write to the store's own documents. */
export interface PlaceWrite {
  readonly collection: string;
  readonly write: GuardedWrite;
  /** Of a document that is created: it must be the only one of its collection, or it is taken back. */
  readonly isAlone?: true | undefined;
}

/** What lies in the store of one key. */
export interface HeldKey {
  /** As the layout shows it; undefined: nothing. */
  readonly shown: ShownRecord | undefined;
  /**
   * The writes that make it another record, or remove it (undefined), in the order in which they are to be made: at each instant
   * the key is shown as it was or as it is to be. Or why they cannot be made.
   */
  become(wanted: Doc | undefined, now: Date): readonly PlaceWrite[] | { readonly reason: string };
}

export interface KeyPlaces {
  /** The one collection that is shown. */
  list(signal: AbortSignal): Promise<CollectionInfo>;
  count(selection: Selection, signal: AbortSignal): Promise<number>;
  read(collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch>;
  /** What lies there now, by `DocumentId.key`: one for each id. */
  look(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, HeldKey>>;
  /** How the store lists one of its collections; undefined where it is not known to. */
  listed(collection: string): CollectionInfo | undefined;
  /** What the store can say of the one collection as of one of its own. */
  readonly powers: Pick<Powers, "presence">;
  /** See `LaidOutStore`. */
  survey(signal: AbortSignal): Promise<LayoutSurvey>;
}
