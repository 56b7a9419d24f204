import { bytesOf, shownText } from "./byte-size.ts";
import { configurationError } from "./configuration-error.ts";

/** The most that may be read in a second; one of the two is given. */
export interface Rate {
  readonly documentsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/**
 * Reads `500` or `500/s` as documents a second, and `5MB`, `5MB/s` or `2MiB/s` as bytes a second. `name` is the flag or
 * variable as people write it. Fails with `usage`.
 */
export function readRate(text: string, name: string): Rate {
  const amount = /^(.*?)(?:\/s)?$/s.exec(text.trim())?.[1]?.trim() ?? "";
  const value = bytesOf(amount);
  if (value === undefined) {
    throw configurationError(
      `${name} must be documents a second such as 500 or 500/s, or bytes a second such as 800kB or 5MB/s, but it is "${shownText(text)}".`,
      "Units of bytes: B, kB, MB, GB and KiB, MiB, GiB. Leave it out to go as fast as both servers can.",
    );
  }
  return /[A-Za-z]$/.test(amount) ? { bytesPerSecond: value } : { documentsPerSecond: value };
}
