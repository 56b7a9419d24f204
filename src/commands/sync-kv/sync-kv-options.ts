import type { Location } from "../../connectors/connector.ts";
import type { ConflictRule, Direction } from "../../core/sync/decide.ts";

/** What a run of `sync-kv` is to do; everything is checked, nothing was contacted. */
export interface SyncKvOptions {
  readonly kv: Location;
  readonly mongodb: Location;
  /** The database, as `--into-existing` names it. */
  readonly database: string;
  readonly direction: Direction;
  readonly onConflict: ConflictRule;
  readonly delete: boolean;
  readonly restoresMarked: boolean;
  readonly layout: string | undefined;
  readonly intoExisting: boolean;
  readonly allowShrink: boolean;
  readonly accept: readonly string[];
  readonly maxCommands: number | undefined;
  readonly maxMinutes: number | undefined;
  /** Where KV is down or limited, it is waited for. */
  readonly waitsForRecovery: boolean;
  readonly retries: number | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly cwd: string;
}

/** A direction as people write it. */
export function directionText(direction: Direction): string {
  return direction === "to copy" ? "to-mongodb" : direction === "to primary" ? "to-kv" : "both";
}

/** Such a run need not settle everything: it is enough that several of them do together. */
export function isLimited({ maxCommands, maxMinutes }: SyncKvOptions): boolean {
  return maxCommands !== undefined || maxMinutes !== undefined;
}
