/** On which requests something happens. */
export interface Occasion<Request> {
  /** "GET /items", "GET", "/items", or what decides. Default: every request. */
  readonly on?: string | ((request: Request) => boolean);
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
export class FaultScript<Request extends { readonly method: string; readonly path: string }, Effect> {
  readonly #active = new Set<(request: Request) => Effect | undefined>();

  add(fault: Effect & Occasion<Request>): ActiveFault {
    let seen = 0;
    let hits = 0;
    const take = (request: Request): Effect | undefined => {
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

  take(request: Request): Effect | undefined {
    for (const take of this.#active) {
      const effect = take(request);
      if (effect !== undefined) return effect;
    }
    return undefined;
  }
}

function isOn<Request extends { readonly method: string; readonly path: string }>(
  on: Occasion<Request>["on"],
  request: Request,
): boolean {
  if (on === undefined) return true;
  if (typeof on === "function") return on(request);
  return [`${request.method} ${request.path}`, request.method, request.path].includes(on);
}

function isTurn({ at, every }: Occasion<never>, turn: number): boolean {
  if (at !== undefined) return typeof at === "number" ? at === turn : at.includes(turn);
  return every === undefined || turn % every === 0;
}
