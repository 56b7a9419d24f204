import type { WriteOutcome } from "../../connectors/write-outcome.ts";
import { DualsyncError } from "../../model/errors.ts";

/** The counts of a tally, as they are saved between two runs. */
export const COUNTS = [
  "read",
  "written",
  "unchanged",
  "equivalent",
  "kept",
  "rejected",
  "extra",
  "deleted",
  "changed",
  "bytes",
] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;

/** Counts what became of documents, and insists that none is unaccounted for. */
export class Tally implements Counts {
  read = 0;
  written = 0;
  unchanged = 0;
  /** Of those that are unchanged: equivalent, and not equal byte for byte. */
  equivalent = 0;
  /** Documents of the target that differ and stay, as the run was told. */
  kept = 0;
  rejected = 0;
  /** Documents that only the target has. */
  extra = 0;
  deleted = 0;
  /** Documents that changed in the source meanwhile and were copied again. */
  changed = 0;
  bytes = 0;

  /** Counts a batch of `documents` by its outcome. @throws DualsyncError `bug` when the outcome does not add up */
  count(documents: number, bytes: number, outcome: WriteOutcome): void {
    const accounted = outcome.written + outcome.unchanged + outcome.rejected.length;
    if (accounted !== documents) {
      throw new DualsyncError(
        "bug",
        `Of ${documents} documents in a batch, ${accounted} are accounted for.`,
        {
          hint: "Nothing that was verified before is in doubt. Please report this.",
        },
      );
    }
    this.read += documents;
    this.bytes += bytes;
    this.written += outcome.written;
    this.unchanged += outcome.unchanged;
    this.rejected += outcome.rejected.length;
  }

  /** Counts documents that were compared, and whose counterparts stay as they are. */
  keep(documents: number, bytes: number): void {
    this.read += documents;
    this.bytes += bytes;
    this.kept += documents;
  }

  /** Adds the counts of a part that is done. */
  merge(part: Readonly<Counts>): void {
    for (const name of COUNTS) this[name] += part[name];
  }

  /** A document that counted as written or unchanged turned out not to be storable. */
  reclassify(documents: number): void {
    const fromWritten = Math.min(documents, this.written);
    this.written -= fromWritten;
    this.unchanged -= documents - fromWritten;
    this.rejected += documents;
  }
}
