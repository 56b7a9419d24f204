/** What a synchronization of a primary and its copy reports. */
import type { Item } from "./item.ts";

/** Documents, each counted once. */
export interface SyncCounts {
  /** Agreed on before, and unchanged since. */
  readonly equal: number;
  /** Found to say the same; that is noted now. */
  readonly agreed: number;
  /** Written and read back. */
  readonly copyWritten: number;
  readonly primaryWritten: number;
  readonly copyRemoved: number;
  readonly primaryRemoved: number;
  /** Gone from the primary: the copy's stays, and that is noted now. */
  readonly marked: number;
  /** The same, noted before. */
  readonly missing: number;
  /** Left as they are, as the direction does not allow to write that side. */
  readonly left: number;
  readonly conflicts: number;
  /** Expired, and in the copy only. */
  readonly expired: number;
  /** Not taken by a store, or not readable. */
  readonly rejected: number;
  /** They changed each time they were looked at. */
  readonly unsettled: number;
}

/** Before anything is done. */
export const NO_COUNTS: SyncCounts = {
  equal: 0,
  agreed: 0,
  copyWritten: 0,
  primaryWritten: 0,
  copyRemoved: 0,
  primaryRemoved: 0,
  marked: 0,
  missing: 0,
  left: 0,
  conflicts: 0,
  expired: 0,
  rejected: 0,
  unsettled: 0,
};

/** From the least to the most. */
export interface SyncEstimate {
  readonly least: number;
  readonly most: number;
}

export interface SyncPlan {
  readonly command: string;
  readonly primary: string;
  readonly copy: string;
  readonly direction: string;
  readonly layout: string;
  /** Documents of the primary and of the copy, and those on which they agreed. */
  readonly primaryDocuments: number;
  readonly copyDocuments: number;
  readonly agreed: number;
  /** What the run costs: billed commands, requests, bytes; and the commands of a month of nightly runs. */
  readonly commands: SyncEstimate;
  readonly requests: SyncEstimate;
  readonly bytes: SyncEstimate;
  readonly commandsAMonth: SyncEstimate;
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

export interface SyncReport {
  readonly command: string;
  readonly primary: string;
  readonly copy: string;
  readonly direction: string;
  readonly layout: string;
  readonly started: Date;
  readonly ended: Date;
  readonly counts: SyncCounts;
  readonly spent: { readonly commands: number; readonly requests: number; readonly bytes: number };
  /** What limited runs before this one had settled, and this one did not look at again. */
  readonly resumed?: { readonly since: Date; readonly documents: number } | undefined;
  readonly items: readonly Item[];
  readonly itemCount: number;
  readonly exitCode: number;
  readonly verdict: string;
}

/** A store, and whether it serves an application now. */
export interface ServiceSide {
  /** The environment or an argument names it. */
  readonly configured: boolean;
  /** It takes what is written, and gives it back. */
  readonly available: boolean;
  /** Absent where it is not configured. */
  readonly label?: string | undefined;
  /** Why it does not serve, as a sentence. */
  readonly problem?: string | undefined;
}

/** Which of the two stores an application can use now. `fallback`: neither. */
export interface ServiceReport {
  readonly status: "kv" | "mongodb" | "fallback";
  readonly kv: ServiceSide;
  readonly mongodb: ServiceSide;
  readonly exitCode: number;
  readonly verdict: string;
}
