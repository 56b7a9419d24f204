import type { Location } from "../../connectors/connector.ts";
import type { ReadRate } from "../../connectors/wrappers/rate-limit.ts";
import type { VerifyMode } from "../../core/plan/verify-mode.ts";
import type { StateFile } from "../../state/job/state-file.ts";
import type { Selected } from "../run/selection.ts";

export type CopyingCommand = "duplicate" | "backfill";

/** A time; or that of the last run that finished. */
export type Since = Date | "last";

/** What a run that copies is to do; everything is checked, nothing was contacted. */
export interface CopyingOptions extends Selected {
  readonly command: CopyingCommand;
  readonly from: Location;
  readonly to: Location;
  readonly verify: VerifyMode;
  readonly delete: boolean;
  readonly allowShrink: boolean;
  /** The person has named the target's database: it may hold documents that dualsync did not put there. */
  readonly intoExisting: boolean;
  readonly indexes: boolean;
  /** The field whose date shows that a copy is newer, so that it is kept; absent for the usual ones. */
  readonly newerBy?: string | undefined;
  /** Read only what was changed since then, where documents say when they were changed. */
  readonly since?: Since | undefined;
  readonly batchSize?: number | undefined;
  readonly concurrency: number;
  readonly retries?: number | undefined;
  readonly accept: readonly string[];
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** What this job remembers on this machine. */
  readonly state: StateFile;
  /** The working directory: in its state folder is kept what the run overwrites or removes. */
  readonly cwd: string;
  /** Forget what an interrupted run has done. */
  readonly restart: boolean;
  readonly maxMinutes?: number | undefined;
  /** How fast the source may be read. */
  readonly rate?: ReadRate | undefined;
  /** Of the copies that the target keeps of this source, so many stay. */
  readonly keep?: number | undefined;
  /** Bytes that the target's database may take up. */
  readonly maxTargetSize?: number | undefined;
}
