import type { Disturbance } from "../http/delivery.ts";
import type { Occasion } from "../http/faults.ts";

/** A request as the gateway saw it, and what came of it. */
export interface Recorded {
  readonly method: string;
  /** As sent: `/rest/v1/table?select=id`. */
  readonly target: string;
  /** `/table`, without what precedes it and without the query. */
  readonly path: string;
  /** Without those that carry keys. */
  readonly headers: Readonly<Record<string, string>>;
  /** The role that the key gave; undefined: it gave none. */
  readonly role: string | undefined;
  /** Bytes of the body that came. */
  readonly received: number;
  /** Bytes of the body that were handed to the connection. */
  readonly sent: number;
  /** Undefined: there was no answer, or there is none yet. */
  readonly status: number | undefined;
}

/** What happens to a request. */
export interface Effect extends Disturbance {
  /** This is called and awaited, and then it is executed. */
  readonly before?: (request: Recorded) => unknown;
}

export interface Fault extends Effect, Occasion<Recorded> {}
