/** What was done longer ago than this, in milliseconds, is done again: a result should be of today. */
const TOO_OLD = 24 * 60 * 60 * 1000;
/** A run that began longer ago is not resumed either, however often it was: its first parts are of that time. */
const LONGEST = 7 * TOO_OLD;
/** Clocks that are set a little wrong are no reason to start over. */
const AHEAD = 60 * 60 * 1000;

/** Why an interrupted run is too old to resume; undefined when it is not. */
export function stalenessReason({
  since,
  saved,
}: {
  readonly since: Date;
  readonly saved: Date;
}): string | undefined {
  const age = Date.now() - saved.getTime();
  if (Date.now() - since.getTime() > LONGEST) return "it began more than a week ago";
  return age > TOO_OLD || age < -AHEAD ? "it is more than a day old" : undefined;
}
