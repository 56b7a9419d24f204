/** Over how long the rate is taken, in milliseconds. */
const WINDOW = 10_000;
const SAMPLE_EVERY = 500;
/** A rate and a remaining time from less than this would be noise. */
const SETTLED = 2_000;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** How fast a count grows. Times are milliseconds. */
export class Pace {
  #base: Sample;
  #samples: Sample[];

  constructor(at: number) {
    this.#base = { at, done: 0 };
    this.#samples = [this.#base];
  }

  /** Forgets what was before: from now on something else is counted. */
  restart(at: number, done: number): void {
    this.#base = { at, done };
    this.#samples = [this.#base];
  }

  sample(at: number, done: number): void {
    if (at - (this.#samples.at(-1) ?? this.#base).at >= SAMPLE_EVERY) {
      this.#samples.push({ at, done });
    }
    while (this.#samples.length > 2 && at - (this.#samples[1] ?? this.#base).at >= WINDOW) {
      this.#samples.shift();
    }
  }

  /** Per second, over the last seconds; undefined when nothing moves or it is too early to know. */
  rate(at: number, done: number): number | undefined {
    const oldest = this.#samples[0] ?? this.#base;
    const passed = at - oldest.at;
    return passed >= SETTLED && done > oldest.done ? ((done - oldest.done) * 1000) / passed : undefined;
  }

  /** Until `total`, at the mean speed so far: a pause among many does not throw it off. */
  remaining(at: number, done: number, total: number): number | undefined {
    const passed = at - this.#base.at;
    const gained = done - this.#base.done;
    return passed >= SETTLED && gained > 0 && total > done ? ((total - done) * passed) / gained : undefined;
  }
}
