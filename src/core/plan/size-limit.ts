import type { Reader } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import { bytes as sizeText } from "../../model/size-text.ts";

/** Keeps the target's database below a size: what is written is added up, and measured again before the limit is considered exceeded. */
export class SizeLimit {
  readonly #target: Reader;
  readonly #limit: number;
  /** Bytes by the last measurement, and what was written since. */
  #used: number;

  constructor(target: Reader, limit: number, used: number) {
    this.#target = target;
    this.#limit = limit;
    this.#used = used;
  }

  /** Call before so many bytes are written. @throws DualsyncError `target` when they would not fit */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    this.#used += bytes;
    if (this.#used <= this.#limit) return;
    // Replaced documents take no more space than before, so the sum may well be too large.
    await this.measure(bytes, signal);
  }

  /** Asks the target itself, before `bytes` more are written. @throws DualsyncError `target` when they would not fit */
  async measure(bytes: number, signal: AbortSignal): Promise<void> {
    this.#used = (await sizeOf(this.#target, signal)) + bytes;
    if (this.#used <= this.#limit) return;
    throw new DualsyncError(
      "target",
      `The target ${this.#target.label} would grow beyond --max-target-size: it takes up ${sizeText(this.#used - bytes)} of ${sizeText(this.#limit)}.`,
      {
        hint: "What was written is kept. Leave collections out with --exclude or choose a larger target, then run the same command again to resume.",
      },
    );
  }
}

/** Bytes that the target takes up. @throws DualsyncError `refused` where it does not know */
export async function sizeOf({ label, size }: Reader, signal: AbortSignal): Promise<number> {
  if (size !== undefined) return await size.bytes(signal);
  throw new DualsyncError(
    "refused",
    `${label} does not report its size, so --max-target-size cannot be enforced.`,
    {
      hint: "Nothing was changed. Leave the flag out.",
    },
  );
}

/** @throws DualsyncError `refused` when the plan alone shows that it will not fit */
export function assertFitsInto(limit: number, used: number, growth: number, label: string): void {
  if (used + growth <= limit) return;
  throw new DualsyncError(
    "refused",
    `The copy does not fit into --max-target-size: ${label} takes up ${sizeText(used)} now, about ${sizeText(growth)} would be added, and the limit is ${sizeText(limit)}.`,
    {
      hint: "Nothing was changed. Leave collections out with --exclude, or choose a larger target.",
    },
  );
}
