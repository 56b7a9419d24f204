/** "2026-11-21 15:05:24" */
export function moment(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

/** "2026-11-21 15:05" */
export function minute(time: Date): string {
  return moment(time).slice(0, 16);
}

/** "2026-11-21 15:05:24 to 15:05:28 UTC"; the second day only where it is another. */
export function timeWindow(from: Date, to: Date): string {
  const [start, end] = [moment(from), moment(to)];
  return `${start} to ${start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end} UTC`;
}

/** The times of a run, as records have them. */
export function timesOf(started: Date, ended: Date): object {
  return { started, ended, durationMs: ended.getTime() - started.getTime() };
}
