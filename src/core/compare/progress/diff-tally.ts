/** Counts of a scan, as they are saved between two runs. */
export const SCANNED = [
  "source",
  "target",
  "equal",
  "equivalent",
  "bytes",
  "expired",
  "duplicateIds",
  "sourceHeld",
  "targetHeld",
] as const;
export type Scanned = Record<(typeof SCANNED)[number], number>;

/** Counts of what looking again has shown: counted again by each run. */
const LOOKED_AT = [
  "missing",
  "extra",
  "changed",
  "metadata",
  "moving",
  "settled",
  "accepted",
  "behind",
  "diverged",
  "unreadable",
] as const;

/** What comparing one collection has come to. */
export class DiffTally implements Scanned {
  /** Documents seen on each side. */
  source = 0;
  target = 0;
  equal = 0;
  /** Of those that are equal: not byte for byte. */
  equivalent = 0;
  /** Bytes of the documents that were compared, on both sides. */
  bytes = 0;
  expired = 0;
  /** Second documents under one `_id` on one side. */
  duplicateIds = 0;
  /** Documents that each side held, by its own word, when its collection was begun. */
  sourceHeld = 0;
  targetHeld = 0;
  missing = 0;
  extra = 0;
  changed = 0;
  metadata = 0;
  moving = 0;
  settled = 0;
  accepted = 0;
  behind = 0;
  diverged = 0;
  unreadable = 0;

  merge(
    other: Readonly<Partial<Record<(typeof SCANNED)[number] | (typeof LOOKED_AT)[number], number>>>,
  ): void {
    for (const name of [...SCANNED, ...LOOKED_AT]) this[name] += other[name] ?? 0;
  }

  /** Differences that count. */
  get differences(): number {
    return this.missing + this.extra + this.changed + this.metadata;
  }
}
