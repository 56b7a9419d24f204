import type { Answer } from "./answer/errors.ts";

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
export interface Effect {
  /** It gets this, and nothing is executed. */
  readonly answer?: Answer;
  /** This is called and awaited, and then it is executed. */
  readonly before?: (request: Recorded) => unknown;
  /** The connection is reset, before anything is executed or after ("lost-reply"). */
  readonly reset?: "before" | "lost-reply";
  /** There is never an answer and nothing is executed; or it is executed, and the body stops after so many bytes. */
  readonly stall?: "before" | { readonly after: number };
  /** The connection ends after so many bytes of a body that was announced by its length, or came in chunks. */
  readonly cut?: { readonly after: number; readonly chunked?: boolean };
  /** The body comes in pieces of so many bytes, one in so many ms. */
  readonly drip?: { readonly bytes: number; readonly ms: number };
  /** It is executed so many ms later. */
  readonly delay?: number;
}

export interface Fault extends Effect {
  /** "GET /items", "GET", "/items", or what decides. Default: every request. */
  readonly on?: string | ((request: Recorded) => boolean);
  /** Which of the requests it is on, from 1. Default: all. */
  readonly at?: number | readonly number[];
  /** Each so-manieth of them. */
  readonly every?: number;
  /** How often at most. */
  readonly times?: number;
}

export interface ActiveFault {
  /** How often it has happened. */
  readonly hits: number;
  stop(): void;
}

/** The faults that wait for their requests. Of several on one request the first added happens, and the others do not count it. */
export class FaultScript {
  readonly #active = new Set<(request: Recorded) => Effect | undefined>();

  add(fault: Fault): ActiveFault {
    let seen = 0;
    let hits = 0;
    const take = (request: Recorded): Effect | undefined => {
      if (!isOn(fault.on, request)) return undefined;
      seen++;
      if (!isTurn(fault, seen) || hits >= (fault.times ?? Number.POSITIVE_INFINITY)) return undefined;
      hits++;
      return fault;
    };
    this.#active.add(take);
    const stop = () => void this.#active.delete(take);
    return {
      stop,
      get hits() {
        return hits;
      },
    };
  }

  take(request: Recorded): Effect | undefined {
    for (const take of this.#active) {
      const effect = take(request);
      if (effect !== undefined) return effect;
    }
    return undefined;
  }
}

function isOn(on: Fault["on"], request: Recorded): boolean {
  if (on === undefined) return true;
  if (typeof on === "function") return on(request);
  return [`${request.method} ${request.path}`, request.method, request.path].includes(on);
}

function isTurn({ at, every }: Fault, turn: number): boolean {
  if (at !== undefined) return typeof at === "number" ? at === turn : at.includes(turn);
  return every === undefined || turn % every === 0;
}
