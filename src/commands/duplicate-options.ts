import type { StoreAddress } from "../connectors/index.ts";
import type { ReadRate } from "../connectors/rate-limit.ts";
import type { VerifyMode } from "../core/verify-mode.ts";
import type { StateFile } from "../state/state-file.ts";
import type { Selected } from "./selection.ts";

/** What a run of `duplicate` is to do; everything is checked, nothing was contacted. */
export interface DuplicateOptions extends Selected {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
  readonly verify: VerifyMode;
  readonly delete: boolean;
  readonly allowShrink: boolean;
  /** The person has named the target's database: it may hold documents that dualsync did not put there. */
  readonly intoExisting: boolean;
  readonly indexes: boolean;
  readonly batchSize?: number;
  readonly concurrency: number;
  readonly retries?: number;
  readonly accept: readonly string[];
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** What this job remembers on this machine. */
  readonly state: StateFile;
  /** The working directory: in its state folder is kept what the run overwrites or removes. */
  readonly cwd: string;
  /** Forget what an interrupted run has done. */
  readonly restart: boolean;
  readonly maxMinutes?: number;
  /** How fast the source may be read. */
  readonly rate?: ReadRate;
  /** Bytes that the target's database may take up. */
  readonly maxTargetSize?: number;
}
