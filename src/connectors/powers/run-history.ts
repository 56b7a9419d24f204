/** The command that gives a store back what its copy holds: it fills the store, which does not become a copy by that. */
export const RESTORE = "restore";

/** A run that filled the target, or is filling it now. */
export interface RunRecord {
  readonly command: string;
  /** The source's label. */
  readonly from: string;
  readonly run: string;
  /** Ties what a machine remembers of an interrupted run to this record. */
  readonly token: string;
  /** False from the first write until everything was copied. */
  readonly complete: boolean;
  readonly verified: boolean;
  /** When the first of the runs began that belong together. */
  readonly since: Date;
  /** Documents that each collection held in the end, by its name in the target; without those that lack something. */
  readonly documents: ReadonlyMap<string, number>;
  /** Of a restore: what it writes. */
  readonly scope?: RestoreScope;
  /** Of a restore: those before it that were interrupted. */
  readonly earlier?: readonly OpenRestore[];
}

/** What a restore writes; from this is known which later one completes it. */
export interface RestoreScope {
  readonly mode: string;
  /** By the name in the target: a text that stands for the part which is written; empty for all of it. */
  readonly collections: ReadonlyMap<string, string>;
}

/** A restore that did not end. */
export interface OpenRestore extends Pick<RunRecord, "run" | "from" | "since" | "scope"> {
  /** The later restore that did what was left to do. Undoing that one undoes this, too. */
  readonly completedBy?: string;
}

/** Where the content of a collection comes from. True of that particular collection, not of a later one of the same name. */
export interface Provenance {
  readonly uid: string;
  /** True when dualsync created it, or found it empty when it first came to it: then it holds what dualsync put there. */
  readonly fromEmpty: boolean;
  /** The source's label. */
  readonly from: string;
  /** The uid of the collection in the source. */
  readonly source?: string;
}

/** What a store remembers of the runs that wrote to it. Empty where none has. */
export interface History {
  /** The last run that made a copy of this store. */
  readonly lastRun?: RunRecord;
  /** By the name of the collection. */
  readonly collections: ReadonlyMap<string, Provenance>;
  /** The last restore. One that is not complete has left the store half-way, as have those before it: it is not to be copied from. */
  readonly lastRestore?: RunRecord;
  /** What a restore found that is not complete; by the name of the collection. */
  readonly restored?: ReadonlyMap<string, Provenance>;
}

/** For stores that dualsync can write to. */
export interface RunHistory {
  read(signal: AbortSignal): Promise<History>;
  /** Whether the nonce of a session is visible through this connection under this store's own name. */
  seesNonce(nonce: string, signal: AbortSignal): Promise<boolean>;
}
