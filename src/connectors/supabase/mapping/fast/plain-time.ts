const [ZERO, POINT, LETTER_T, DASH, COLON] = [0x30, 0x2e, 0x54, 0x2d, 0x3a];
const UTC = Buffer.from("+00:00");
/** 2024-01-31T23:59:59 */
const SECONDS = 19;
/** Days of each month, from 1, in a year that does not leap. */
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The milliseconds of a time in the form that Postgres writes in UTC, years 100 to 9999; NaN for any other, for what no
 * clock or calendar shows, and for the days that only some years have.
 */
export function plainTime(
  kind: "timestamp" | "timestamptz",
  bytes: Uint8Array,
  start: number,
  to: number,
): number {
  const end = endOf(kind, to);
  const length = end - start;
  if (length < SECONDS || length > SECONDS + 7 || length === SECONDS + 1) return Number.NaN;
  if (kind === "timestamptz") for (let i = 0; i < 6; i++) if (bytes[end + i] !== UTC[i]) return Number.NaN;
  if (!isParted(bytes, start) || (length > SECONDS && bytes[start + SECONDS] !== POINT)) return Number.NaN;
  const year = digits(bytes, start, 4);
  const month = digits(bytes, start + 5, 2);
  const day = digits(bytes, start + 8, 2);
  if (!(year >= 100 && day >= 1 && day <= (DAYS[month] as number))) return Number.NaN;
  const hour = digits(bytes, start + 11, 2);
  const minute = digits(bytes, start + 14, 2);
  const second = digits(bytes, start + 17, 2);
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second);
  if (length === SECONDS) return seconds;
  // Also what is cut off must be digits: it may be the end of another era.
  const shown = length - SECONDS - 1;
  const fraction = digits(bytes, start + SECONDS + 1, shown);
  return seconds + (shown > 3 ? Math.floor(fraction / 10 ** (shown - 3)) : fraction * 10 ** (3 - shown));
}

/** Whether a time that `plainTime` understood has nothing after its milliseconds. */
export function isWholeMilliseconds(
  kind: "timestamp" | "timestamptz",
  bytes: Uint8Array,
  start: number,
  to: number,
): boolean {
  const end = endOf(kind, to);
  return end - start === SECONDS || (end - start <= SECONDS + 4 && bytes[end - 1] !== ZERO);
}

function endOf(kind: "timestamp" | "timestamptz", to: number): number {
  return kind === "timestamptz" ? to - UTC.length : to;
}

function isParted(bytes: Uint8Array, start: number): boolean {
  return (
    bytes[start + 4] === DASH &&
    bytes[start + 7] === DASH &&
    bytes[start + 10] === LETTER_T &&
    bytes[start + 13] === COLON &&
    bytes[start + 16] === COLON
  );
}

function digits(bytes: Uint8Array, from: number, length: number): number {
  let value = 0;
  for (let at = from; at < from + length; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
