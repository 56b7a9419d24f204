/** For stores whose operator counts commands. */

/** What was sent since the store was opened. */
export interface Spent {
  /** Commands that are billed. */
  readonly commands: number;
  readonly requests: number;
  /** Bytes of requests and answers. */
  readonly bytes: number;
}

/** From the least to the most that it can be. */
export interface Estimate {
  readonly least: number;
  readonly most: number;
}

/** What a run is to do, as far as its cost depends on it. */
export interface CostlyWork {
  /** Documents that it writes, and reads back; it takes a lease where it may write any. */
  readonly writing: Estimate;
  /** Documents that it does not read. */
  readonly passedOver?: number | undefined;
}

export interface CostEstimate {
  readonly commands: Estimate;
  /** Of them, what is sent before the first document is compared. */
  readonly overhead: number;
  /** The commands of a run that reads everything and writes nothing. */
  readonly readingOnly: Estimate;
  readonly requests: Estimate;
  readonly bytes: Estimate;
}

export interface Costs {
  readonly spent: Spent;
  /** Billed commands that may still be sent; Infinity as long as there is no limit. */
  readonly left: number;
  /** What a run costs that reads a collection once, from its plan to its end. */
  estimate(collection: string, work: CostlyWork, signal: AbortSignal): Promise<CostEstimate>;
  /**
   * From now on no more commands than this are sent, those included that were sent before; the call that would exceed it fails with
   * `inconclusive`, and nothing of that call was sent. What is needed to end cleanly (releasing a lease) is sent all the same.
   */
  limit(commands: number): void;
  /** From now on no more commands a second than this are sent. */
  pace(commandsPerSecond: number): void;
}
