import type { Disturbance } from "../http/delivery.ts";
import type { Occasion } from "../http/faults.ts";
import type { Call } from "./request.ts";

/** A request that came. Its token and its body are not kept. */
export interface Recorded {
  readonly method: string;
  /** As it came, without parameters. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Names of its commands in capitals, in order; none: it was not understood. */
  readonly commands: readonly string[];
  readonly role: "standard" | "read-only" | undefined;
  /** Bytes of the body that came. */
  readonly received: number;
  /** Bytes of the body that were handed to the connection. */
  readonly sent: number;
  /** Undefined: there was no answer, or there is none yet. */
  readonly status: number | undefined;
  /** How many commands were billed for it. */
  readonly billed: number;
}

/** A request as it comes in, with all that its commands say. */
export interface Incoming extends Recorded {
  readonly call: Call | undefined;
}

/** What happens to a request. */
export interface Effect extends Disturbance {
  /** This is called and awaited, and then it is executed. */
  readonly before?: (request: Incoming) => unknown;
  /** Commands at these places, from 0, are not executed and get this error. Default: all. */
  readonly items?: { readonly at?: number | readonly number[]; readonly error: string };
  /**
   * SCAN and its kind: "duplicates" gives some of a page and of the last page again; "empty" gives a page without
   * anything, and a cursor that goes on where this one would have.
   */
  readonly pages?: "duplicates" | "empty";
  /** Commands that only read are answered by a replica that has not seen the latest writes; see `lag`. "unaware": its sync
   * token is that of its own moment, where others tell what the primary has seen. */
  readonly stale?: boolean | "unaware";
}

export interface Fault extends Effect, Occasion<Incoming> {}
