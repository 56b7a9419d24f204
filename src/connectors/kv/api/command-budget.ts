/** What was sent and billed, and how much more of it may be. */
import { DualsyncError } from "../../../model/errors.ts";
import type { Spent } from "../../powers/costs.ts";

/** What one call may still spend of what was put by for it. */
export interface Reservation {
  readonly unlimited: boolean;
  /** Commands. */
  left: number;
}

export class CommandBudget {
  #limit = Number.POSITIVE_INFINITY;
  #commands = 0;
  #requests = 0;
  #bytes = 0;
  /** Of calls that are going on. */
  #reserved = 0;

  get spent(): Spent {
    return { commands: Math.round(this.#commands), requests: this.#requests, bytes: this.#bytes };
  }

  /** What may still be put by. */
  get left(): number {
    return Math.max(0, this.#limit - this.#commands - this.#reserved);
  }

  limit(commands: number): void {
    this.#limit = commands;
  }

  /** Puts commands by for a call. @throws DualsyncError `inconclusive` when there are not so many left */
  reserve(commands: number, unlimited: boolean): Reservation {
    if (!unlimited) this.#mustHave(commands);
    this.#reserved += commands;
    return { unlimited, left: commands };
  }

  /** Gives back what a call did not spend. */
  release(reservation: Reservation): void {
    this.#reserved -= reservation.left;
    reservation.left = 0;
  }

  /** A request is sent. What is sent again was not put by. @throws DualsyncError `inconclusive` when it may not be sent */
  spend(reservation: Reservation, commands: number): void {
    const beyond = commands - reservation.left;
    if (beyond > 0 && !reservation.unlimited) this.#mustHave(beyond);
    const taken = Math.min(commands, reservation.left);
    reservation.left -= taken;
    this.#reserved -= taken;
    this.#commands += commands;
    this.#requests++;
  }

  /** Of what was sent so much was not billed. */
  refund(commands: number): void {
    this.#commands -= commands;
  }

  carried(bytes: number): void {
    this.#bytes += bytes;
  }

  #mustHave(commands: number): void {
    // Shares of a call need not be whole numbers.
    if (this.#commands + this.#reserved + commands <= this.#limit + 1e-6) return;
    throw new DualsyncError("inconclusive", `The limit of ${this.#limit} commands is reached.`, {
      hint: "What was done is kept; run the same command again to resume, or allow more with --max-commands.",
    });
  }
}
