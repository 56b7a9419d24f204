/** A date, which is its beginning in UTC, or a date and time; undefined: the text is neither. */
export function pointInTime(text: string): Date | undefined {
  const written = text.trim();
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(written))
    return undefined;
  const time = new Date(written);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
