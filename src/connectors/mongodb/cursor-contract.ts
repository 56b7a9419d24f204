import type { Batch } from "../../document.ts";

/** The result of one cursor command, batch after batch, as raw documents. */
export interface Cursor {
  /** The next batch, possibly empty; the first call sends the command. Not to be called again before it has answered. */
  fetch(): Promise<Batch>;
  /** True when the server has said that nothing more will come. */
  readonly ended: boolean;
  /** Frees what is left on the server, as well as that goes; never fails. */
  close(): Promise<void>;
}

export interface CursorOptions {
  /** The collection that the server holds the cursor under. */
  readonly collection: string;
  /** What is being tried, as "read orders": used in errors. */
  readonly doing: string;
  /** Most documents in the next batch; asked before each. Undefined leaves it to the command and the server. */
  readonly batchSize?: () => number;
  readonly deadline?: number;
  readonly signal: AbortSignal;
}
