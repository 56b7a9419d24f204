/**
 * A few things under way at once. `add` waits for a free place; the first failure is thrown by the next `add` or by
 * `land`. `settle` waits until nothing is under way any more, whatever happened: call it in a `finally`.
 *
 * Written by hand: p-limit queues without a bound, so that its callers would read on while nothing is written.
 */
export class Flights {
  readonly #places: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** `onFailure` hears of each failure at once: it stops what else is under way. */
  constructor(places: number, onFailure: (error: unknown) => void) {
    this.#places = places;
    this.#onFailure = onFailure;
  }

  async add(work: () => Promise<void>): Promise<void> {
    while (this.#underWay.size >= this.#places && this.#failure === undefined)
      await Promise.race(this.#underWay);
    this.#throwFailure();
    const flight = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#onFailure(error);
      })
      .finally(() => this.#underWay.delete(flight));
    this.#underWay.add(flight);
  }

  async land(): Promise<void> {
    await this.settle();
    this.#throwFailure();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
