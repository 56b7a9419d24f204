import type { ComparedCollection } from "../../model/reporter.ts";
import type { Findings } from "./findings.ts";

/** What a comparison has come to. */
export interface Compared {
  readonly findings: Findings;
  readonly collections: readonly ComparedCollection[];
  readonly ranges: { readonly done: number; readonly total: number };
  /** The flag that ended it before its end; undefined when everything was compared. */
  readonly ended: string | undefined;
  /** When the first of the runs began that belong together. */
  readonly since: Date;
  readonly exact: boolean;
  /** Bytes of the documents that were compared, on both sides. */
  readonly bytesCompared: number;
  /** Bytes of documents received from both stores. */
  readonly bytesRead: number;
}
