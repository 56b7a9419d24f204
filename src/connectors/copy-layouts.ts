/** In what form the copy of a primary lies in a store of another kind, where there is more than one way. */
import type { NotCopied } from "../model/collection.ts";
import type { SeenIds } from "../model/seen-ids.ts";
import type { Store } from "./contract.ts";
import type { AgreementReader, AgreementWriter } from "./powers/agreements.ts";
import type { GuardedWrites } from "./powers/guarded-writes.ts";
import type { Lookup } from "./powers/lookup.ts";

/** What a store shows of the copy that may lie in it. */
export interface LayoutFound {
  /** What was decided on when the copy was begun, and the label of its primary. */
  readonly remembered?: { readonly layout: string; readonly from: string } | undefined;
  /** Layouts of which the store holds documents, with the number of the primary's documents in each: a copy somebody made by other means. */
  readonly present: ReadonlyMap<string, number>;
  /** The store holds no collection of any kind but dualsync's own. */
  readonly isEmpty: boolean;
}

/** A run that ended before it had settled every document: the next one of its kind goes on where it ended. */
export interface UnfinishedRun {
  /** Stands for everything that decides what such a run does with a document. */
  readonly kind: string;
  /** When the first of the runs began that settled these together. */
  readonly since: Date;
  readonly settled: SeenIds;
  /** Of those, how many were named and count as undone work. */
  readonly open: number;
}

/** What is other in a copy than its layout has it, each with the reason. */
export interface LayoutSurvey {
  /** What lies there and is no part of the copy, though it may look so, and what cannot be. */
  readonly notPart: readonly NotCopied[];
  /** Documents of the copy that the layout has no form for, and that lie in another one for that reason. */
  readonly aside: readonly NotCopied[];
}

/** A copy in its layout: a store with one collection, whose documents are as the primary makes them. */
export interface LaidOutStore extends Store {
  readonly lookup: Lookup;
  readonly agreements: AgreementReader;
  claim(...args: Parameters<NonNullable<Store["claim"]>>): Promise<LaidOutSession>;
  unfinished(signal: AbortSignal): Promise<UnfinishedRun | undefined>;
  /** All that is there is read for that. */
  survey(signal: AbortSignal): Promise<LayoutSurvey>;
}

export type LaidOutSession = Awaited<ReturnType<NonNullable<Store["claim"]>>> & {
  readonly guarded: GuardedWrites;
  readonly agreements: AgreementWriter;
  /** Notes the layout and the label of the primary in the copy. */
  remember(layout: string, from: string, signal: AbortSignal): Promise<void>;
  /** Keeps it for the next run, in place of the one that is kept; undefined: there is none any more. */
  leaveUnfinished(run: UnfinishedRun | undefined, signal: AbortSignal): Promise<void>;
};

export interface CopyLayouts {
  /** The first is what an empty store gets. */
  readonly names: readonly string[];
  /** The name of the one collection that primary and copy have. */
  readonly collection: string;
  look(copy: Store, signal: AbortSignal): Promise<LayoutFound>;
  /** The same store in a layout; closing it closes the store. */
  open(copy: Store, layout: string): LaidOutStore;
}
