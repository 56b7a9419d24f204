import type { Location } from "../../connectors/connector.ts";
import type { StateFile } from "../../state/job/state-file.ts";
import type { Selected } from "../run/selection.ts";

/** A file, as the person named it, and where it is. */
export interface NamedFile {
  readonly name: string;
  readonly path: string;
}

/** What a run of `diff` is to do; everything is checked, nothing was contacted. */
export interface DiffOptions extends Selected {
  readonly from: Location;
  readonly to: Location;
  /** Whether --include, --exclude or --filter leave something out. */
  readonly selective: boolean;
  readonly concurrency: number;
  readonly retries?: number | undefined;
  readonly indexes: boolean;
  readonly oneWay: boolean;
  readonly ignoreFieldOrder: boolean;
  readonly values: boolean;
  /** Milliseconds before each further look at what differs. */
  readonly delays: readonly number[];
  readonly accept: readonly string[];
  readonly maxDiffs?: number | undefined;
  readonly maxMinutes?: number | undefined;
  /** Files to write: a plan for repair, a page to look at. */
  readonly plan?: NamedFile | undefined;
  readonly report?: NamedFile | undefined;
  readonly restart: boolean;
  /** What this job remembers on this machine. */
  readonly state: StateFile;
}
