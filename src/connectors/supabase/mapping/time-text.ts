/** A time as Postgres writes it, without the calendar: equal for two texts exactly when the instants are. */
export interface Instant {
  /** Since 1970 in UTC; cut, not rounded. */
  readonly milliseconds: number;
  /** What comes after the milliseconds: 0 to 999. */
  readonly microseconds: number;
}

const TIME =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?)?( BC)?$/;
const DAY = 86_400_000;
const CYCLE_YEARS = 400;
const CYCLE_DAYS = 146_097;
/** Postgres's own bounds, in years. */
const FIRST_YEAR = -4712;
const LAST_YEAR = 294_276;
const LAST_YEAR_OF_DATES = 5_874_897;

/**
 * What a timestamp's text says; undefined for text that is no time, that Postgres would round, or that says less or more than
 * a column of the kind takes: `timestamptz` needs an offset, `timestamp` none but UTC's.
 */
export function instantOf(kind: "timestamp" | "timestamptz", text: string): Instant | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [, y = "", month, day, hour = "0", minute = "0", second = "0", fraction = "", zone, era] = parts;
  const offset = offsetOf(zone);
  if (offset === undefined || (kind === "timestamptz" ? zone === undefined : offset !== 0)) return undefined;
  if (Number(y) === 0) return undefined;
  const year = era === undefined ? Number(y) : 1 - Number(y);
  const days = daysOf(year, Number(month), Number(day));
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (/[1-9]/.test(fraction.slice(6))) return undefined;
  const digits = fraction.padEnd(6, "0");
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  return {
    milliseconds: days * DAY + seconds * 1000 + Number(digits.slice(0, 3)),
    microseconds: Number(digits.slice(3, 6)),
  };
}

/** Seconds east of UTC; undefined for an offset that no place has, and Postgres refuses. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === "Z") return 0;
  const [hours = 0, minutes = 0, seconds = 0] = (zone.match(/\d\d/g) ?? []).map(Number);
  if (hours > 15 || minutes > 59 || seconds > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

/** Days since 1970; undefined when the calendar, or Postgres, has no such day. */
function daysOf(year: number, month: number, day: number, last = LAST_YEAR): number | undefined {
  if (year < FIRST_YEAR || year > last) return undefined;
  // The calendar repeats itself; JavaScript's dates end before Postgres's do.
  const cycles = Math.floor(year / CYCLE_YEARS);
  const date = new Date(0);
  // Unlike Date.UTC it takes the years 0 to 99 for what they are.
  date.setUTCFullYear(year - cycles * CYCLE_YEARS, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() / DAY + cycles * CYCLE_DAYS;
}

/** A day as Postgres writes it; undefined for text that is not a date of its calendar, or says more than a day. */
export function dayText(text: string): string | undefined {
  const parts = /^(\d{4,7})-(\d\d)-(\d\d)(?:T00:00(?::00(?:\.0+)?)?Z?)?( BC)?$/.exec(text);
  if (parts === null) return undefined;
  const [, y = "", month = "", day = "", era = ""] = parts;
  const year = era === "" ? Number(y) : 1 - Number(y);
  if (Number(y) === 0 || daysOf(year, Number(month), Number(day), LAST_YEAR_OF_DATES) === undefined)
    return undefined;
  return `${y}-${month}-${day}${era}`;
}

/** As Postgres writes these milliseconds; undefined for a time that it, or JavaScript, cannot represent. */
export function timeText(kind: "timestamp" | "timestamptz", milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR)) return undefined;
  const thousandths = date.getUTCMilliseconds();
  const fraction = thousandths === 0 ? "" : `.${String(thousandths).padStart(3, "0").replace(/0+$/, "")}`;
  const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
  const rest = date.toISOString().slice(-20, -5);
  return `${shown}${rest}${fraction}${kind === "timestamptz" ? "+00:00" : ""}${year > 0 ? "" : " BC"}`;
}
