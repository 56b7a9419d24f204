import type { Location } from "../../connectors/connector.ts";

/** What a run of `repair` is to do; everything is checked, nothing was contacted. */
export interface RepairOptions {
  readonly from: Location;
  readonly to: Location;
  readonly retries?: number | undefined;
  /** The plan, as the person named it, and where it is. */
  readonly name: string;
  readonly path: string;
  readonly delete: boolean;
  readonly allowShrink: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly cwd: string;
}
