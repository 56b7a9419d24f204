/** Forms in which Postgres prints values, each under its own settings. */

const TOKENS = /\d[\d.]*(?:[eE][+-]?\d+)?/g;

/** The largest number of digits that a number in this text has, from its first one that is not zero. */
export function mostDigits(text: string): number {
  let most = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    const digits = token
      .replace(/[eE].*$/, "")
      .replace(".", "")
      .replace(/^0+/, "");
    if (digits.length > most) most = digits.length;
  }
  return most;
}

const TIME = String.raw`(?:\d{4,}-\d\d-\d\d(?:[ T][\d:.]+(?:[+-][\d:]+)?)?(?: BC)?|-?infinity)`;
const BOUND = `(?:${TIME}|"${TIME}")?`;
const RANGE = String.raw`(?:empty|[[(]${BOUND},${BOUND}[\])])`;
const ISO_RANGES = new RegExp(String.raw`^(?:${RANGE}|\{(?:${RANGE}(?:,${RANGE})*)?\})$`);

/** A range of days or times, or several, printed under a DateStyle that begins with ISO. */
export function isIsoRange(text: string): boolean {
  return ISO_RANGES.test(text);
}

/** Whether a day is in this text as only ISO writes it. */
export function showsIso(text: string): boolean {
  return /(?:^|[^\d-])\d{4,}-\d\d-\d\d/.test(text);
}

const WORDED = /^(?:[+-]?\d+ (?:year|mon|day)s?(?: |$))*(?:[+-]?\d{2,}:\d\d:\d\d(?:\.\d+)?)?$/;

/** Not in the form of `sql_standard`, in which one sign may be that of all that follows. */
export function isClearInterval(text: string): boolean {
  return WORDED.test(text) || /^(?:P|@ |-?infinity$)/.test(text);
}

/** Whether an interval is written as `sql_standard` writes none. */
export function showsClearInterval(text: string): boolean {
  return isClearInterval(text) && /[a-zP@]|^[+-]?0\d:/.test(text) && !text.endsWith("infinity");
}

/** An amount as it is printed where nobody has set another `lc_monetary`. */
export function isPlainAmount(text: string): boolean {
  return /^-?\$\d{1,3}(?:,\d{3})*\.\d\d$/.test(text);
}

/** A composite, a range, or an array of such or of numbers: a text made of texts of other types. */
export function isMadeOfOthers(text: string): boolean {
  return /^(?:\{*"?[([]|\{+"?-?\d)/.test(text);
}
