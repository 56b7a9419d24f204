import type { FailureReason } from "../model/errors.ts";

/**
 * One way in which a server cannot be used, in the words that people meet. The troubleshooting tables in `docs/` are
 * made from these.
 */
export interface Failure {
  /** `role`: that of the store, `source` or `target`. */
  readonly exit: "role" | "denied" | "usage" | "refused";
  /**
   * A sentence with `{where}` or `{Where}` (the target localhost/shop), `{doing}` (write orders), `{detail}` and what
   * else its connector fills in.
   */
  readonly says: string;
  /** What is behind it, for those who look it up. */
  readonly means: string;
  /** What to do next; printed below the sentence. */
  readonly hint: string;
  /** The same call may succeed later without anybody's doing. */
  readonly passes?: true;
  readonly reason?: FailureReason;
  /** Where it was about one collection, that alone is the matter. */
  readonly ofOneCollection?: true;
}
