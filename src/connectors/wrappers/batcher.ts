/**
 * Asks together what many ask at about the same time: one call is under way, and what comes meanwhile goes into the next
 * one. So everybody gets an answer that was asked for after they came.
 */
import { DualsyncError } from "../../model/errors.ts";
import { endedBy } from "./ended-by.ts";

interface Waiting<I, O> {
  readonly input: I;
  readonly settle: (output: O | PromiseLike<O>) => void;
  readonly fail: (error: unknown) => void;
}

export class Batcher<I, O> {
  readonly #call: (inputs: readonly I[]) => Promise<readonly O[]>;
  readonly #most: number;
  #waiting: Waiting<I, O>[] = [];
  #isBusy = false;

  /** `call` gives an output for each input, in their order, of which there are at most so many. */
  constructor(call: (inputs: readonly I[]) => Promise<readonly O[]>, most = 100) {
    this.#call = call;
    this.#most = most;
  }

  /** The signal ends the wait of whoever asks, not the call: others wait for it, too. */
  async ask(input: I, signal: AbortSignal): Promise<O> {
    const answer = new Promise<O>((settle, fail) => this.#waiting.push({ input, settle, fail }));
    void this.#work();
    return await endedBy(signal, answer);
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    await Promise.resolve(); // who asks in the same turn is asked for in the same call
    while (this.#waiting.length > 0) await this.#together(this.#waiting.splice(0, this.#most));
    this.#isBusy = false;
  }

  /** Where they are refused together, each is asked for alone: one must not spoil the others. */
  async #together(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outputs = await this.#call(batch.map(({ input }) => input));
      if (outputs.length !== batch.length) throw new RangeError("an answer for each question");
      for (const [i, { settle }] of batch.entries()) settle(outputs[i] as O);
    } catch (error) {
      // What ails the store itself is the answer to all of them.
      const isOfOne = error instanceof DualsyncError && !error.retryable;
      if (batch.length === 1 || !isOfOne) for (const { fail } of batch) fail(error);
      else for (const one of batch) await this.#together([one]);
    }
  }
}
