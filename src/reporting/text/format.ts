/** Numbers as people read them. The same on every machine: no locale takes part. */

/** An integer in groups of three: "50,000". */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Documents per second: "12,345/s", "0.4/s". */
export function rate(perSecond: number): string {
  return perSecond >= 9.95 ? `${grouped(perSecond)}/s` : `${perSecond.toFixed(1)}/s`;
}

/** A measured time, from milliseconds: "0.4 s", "5 s", "1 min 5 s", "2 h 3 min", "3 d 4 h". */
export function duration(milliseconds: number): string {
  if (milliseconds < 10_000) {
    return `${(Math.max(0, milliseconds) / 1000).toFixed(1).replace(/\.0$/, "")} s`;
  }
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) {
    return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) {
    return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  }
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const parts = [];
  if (large > 0) {
    parts.push(`${large} ${largeUnit}`);
  }
  if (small > 0 || large === 0) {
    parts.push(`${small} ${smallUnit}`);
  }
  return parts.join(" ");
}

/** A guess at a remaining time, from milliseconds, as coarse as guesses are: "about 20 s", "about 2 min". */
export function eta(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds <= 55) {
    return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `about ${Math.max(1, minutes)} min`;
  }
  const hours = seconds / 3600;
  if (hours < 10) {
    return `about ${hours.toFixed(1).replace(/\.0$/, "")} h`;
  }
  return hours < 48 ? `about ${Math.round(hours)} h` : `about ${Math.round(hours / 24)} d`;
}

/** A number with its noun: "1 document", "2 documents", "2 indexes". */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(value)} ${value === 1 ? noun : plural}`;
}

/** Whole percent, never 100 before everything is done; undefined when there is nothing to divide by. */
export function percent(done: number, total: number): number | undefined {
  return total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : undefined;
}
