import { setTimeout as sleep } from "node:timers/promises";

/** Which way bytes go. */
export type Direction = "to engine" | "to client";

/** What passes through one proxy, on all its connections: counts the bytes, holds them back, cuts them off. */
export class Traffic {
  readonly bytes: Record<Direction, number> = { "to engine": 0, "to client": 0 };
  cuts = 0;
  /** Milliseconds that each command waits. */
  delay = 0;
  /** For each direction. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  readonly #left: Record<Direction, number> = {
    "to engine": Number.POSITIVE_INFINITY,
    "to client": Number.POSITIVE_INFINITY,
  };
  readonly #free: Record<Direction, number> = { "to engine": 0, "to client": 0 };

  cutAfter(bytes: number, direction: Direction): void {
    this.#left[direction] = bytes;
  }

  /** Ends delay, slowness and cuts to come. */
  calm(): void {
    this.delay = 0;
    this.bytesPerSecond = Number.POSITIVE_INFINITY;
    this.cutAfter(Number.POSITIVE_INFINITY, "to engine");
    this.cutAfter(Number.POSITIVE_INFINITY, "to client");
  }

  /** Most bytes that should pass in one go, so that a slow line looks like one. */
  get slice(): number {
    return Math.max(1, Math.ceil(this.bytesPerSecond / 20));
  }

  /** Waits until the line has carried so many bytes. */
  async carry(direction: Direction, bytes: number, signal: AbortSignal): Promise<void> {
    if (this.bytesPerSecond === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    this.#free[direction] = Math.max(now, this.#free[direction]) + (1000 * bytes) / this.bytesPerSecond;
    await sleep(this.#free[direction] - now, undefined, { signal });
  }

  /** Counts these bytes and tells how many of them pass; `cut` when the line is cut right behind those. */
  pass(direction: Direction, bytes: number): { readonly passed: number; readonly cut: boolean } {
    const passed = Math.min(bytes, this.#left[direction]);
    this.bytes[direction] += passed;
    this.#left[direction] -= passed;
    const cut = this.#left[direction] === 0;
    if (cut) {
      this.cuts++;
      this.#left[direction] = Number.POSITIVE_INFINITY;
    }
    return { passed, cut };
  }
}
