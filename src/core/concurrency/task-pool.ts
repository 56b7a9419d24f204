/**
 * A few tasks at the same time. `add` waits for a free place; the first failure is thrown by the next `add` or by
 * `join`. `drain` waits until all tasks have ended, whatever happened: call it in a `finally`.
 *
 * Written by hand: p-limit queues without a bound, so that its callers would read on while nothing is written.
 */
export class TaskPool {
  readonly #size: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** `onFailure` hears of each failure at once: it stops the other tasks. */
  constructor(size: number, onFailure: (error: unknown) => void) {
    this.#size = size;
    this.#onFailure = onFailure;
  }

  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#size && this.#failure === undefined) await Promise.race(this.#running);
    this.#throwFailure();
    const task = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#onFailure(error);
      })
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  async join(): Promise<void> {
    await this.drain();
    this.#throwFailure();
  }

  async drain(): Promise<void> {
    await Promise.all(this.#running);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
