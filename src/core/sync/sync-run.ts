/** What a synchronization works on. */
import type { Reader, With, WriteSession } from "../../connectors/contract.ts";
import type { AgreementWriter } from "../../connectors/powers/agreements.ts";
import type { GuardedWrites } from "../../connectors/powers/guarded-writes.ts";
import type { SeenIds } from "../../model/seen-ids.ts";
import type { Journal } from "../change/journal.ts";
import type { SyncRules } from "./decide.ts";
import type { SyncTally, SyncWords } from "./sync-tally.ts";

/** A side that may be written, where what is overwritten or removed there is saved. */
export interface WritableSide {
  readonly session: WriteSession & { readonly guarded: GuardedWrites };
  readonly journal: Journal;
}

export interface SyncRun {
  /** The one collection that both sides have. */
  readonly collection: string;
  readonly primary: Reader & With<"lookup" | "contents">;
  readonly copy: Reader & With<"lookup" | "agreements">;
  /** Undefined: that side is not written. */
  readonly primarySide: WritableSide | undefined;
  readonly copySide: WritableSide | undefined;
  readonly agreements: AgreementWriter;
  readonly rules: SyncRules;
  readonly tally: SyncTally;
  readonly words: SyncWords;
  /** Milliseconds since 1970, by the fastest of the clocks: what may have expired is not brought back. */
  readonly now: () => number;
  readonly allowShrink: boolean;
  /** What was agreed on was agreed on with another primary: nothing that the copy holds is known to be this one's. */
  readonly isAdopting: boolean;
  /** What was settled since this run began, and stays so where it is begun again after an interruption. */
  readonly settled: SeenIds;
  /**
   * What a run of the same kind that ended early had settled: it comes last, or not at all where this one is limited. Cleared when all
   * else is settled.
   */
  readonly earlier: SeenIds;
  /** The run may not do everything: it is enough that everything is settled once, be it by several runs. */
  readonly isLimited: boolean;
  /** How many documents may be settled together: fewer where the limit comes near. */
  readonly atOnce: () => number;
  readonly signal: AbortSignal;
  /** Documents done. */
  readonly advance: (documents: number) => void;
}
