import type { ReadRate } from "../../connectors/wrappers/rate-limit.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { safeText } from "../../redact/redact.ts";

/** Decimal units as makers of disks and networks count them, binary ones by their own names. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["kB", 1e3],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
]);
const LONGEST_SHOWN = 40;

/**
 * Bytes of a text such as `512MB`, `1.5GB`, `2MiB` or `600000000`; undefined when it is none, or not from 1 byte to
 * what numbers hold exactly. `Mb` is none: it may mean bits.
 *
 * Written by hand: bytes reads `MB` as 1024².
 */
function bytesOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = UNITS.get(unit);
  if (digits === undefined || factor === undefined || (factor === 1 && digits.includes(".")))
    return undefined;
  const bytes = Math.round(Number(digits) * factor);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size in bytes; `name` is the flag or variable as people write it. Fails with `usage`. */
export function byteSize(text: string, name: string): number {
  const bytes = bytesOf(text);
  if (bytes !== undefined) return bytes;
  throw configurationError(
    `${name} must be a size such as 512MB, 1.5GB, 2GiB or 600000000 (bytes), but it is "${shownText(text)}".`,
    "Units: B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024).",
  );
}

/** What was written, short and harmless to a terminal. */
function shownText(text: string): string {
  const written = text.trim();
  return safeText(written.length > LONGEST_SHOWN ? `${written.slice(0, LONGEST_SHOWN)}…` : written);
}

/**
 * Reads `500` or `500/s` as documents a second, and `5MB`, `5MB/s` or `2MiB/s` as bytes a second. `name` is the flag or
 * variable as people write it. Fails with `usage`.
 */
export function readRate(text: string, name: string): ReadRate {
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
