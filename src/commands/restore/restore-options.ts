import type { Location } from "../../connectors/connector.ts";
import type { ReadRate } from "../../connectors/wrappers/rate-limit.ts";
import type { RestoreMode } from "../../core/restore/restore-mode.ts";
import type { Selected } from "../run/selection.ts";

/** What a restore is to do; everything is checked, nothing was contacted. */
export interface RestoreOptions extends Selected {
  /** The copy. */
  readonly from: Location;
  /** What is restored. */
  readonly to: Location;
  /** What the person types, or gives with --confirm, to show that they know which target it is; see `PlannedRestore.asks`. */
  readonly targetName: string;
  /** Documents as reports print them: a collection, a slash, an id. None: all. */
  readonly documents: readonly string[];
  readonly mode: RestoreMode;
  readonly apply: boolean;
  readonly dryRun: boolean;
  /** The target's name as it was given, or its whole label. */
  readonly confirmed?: string | undefined;
  /** The command that goes on from the plan, with the name that it asks for. */
  readonly nextCommand: (name: string, at: Date | undefined) => string;
  /** With mode exact: also remove what may be newer than the copy. */
  readonly includeNewer: boolean;
  readonly allowShrink: boolean;
  readonly newerBy?: string | undefined;
  readonly indexes: boolean;
  readonly accept: readonly string[];
  readonly batchSize?: number | undefined;
  readonly concurrency: number;
  readonly retries?: number | undefined;
  /** How fast the copy may be read. */
  readonly rate?: ReadRate | undefined;
  /** The working directory: in its state folder is kept what the run overwrites or removes. */
  readonly cwd: string;
  /** The variable that shows that this machine is soon thrown away; absent where none does. */
  readonly throwAway?: string | undefined;
}
