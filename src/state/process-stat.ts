import { readFileSync } from "node:fs";

/** What Linux says about a process in /proc/PID/stat, as far as it is of use here. */
export interface ProcessStat {
  /** Clock ticks from the machine's start to the process's. */
  readonly started: string;
  /** It has ended as a whole, and only waits for its parent to take note. */
  readonly ended: boolean;
}

/** Undefined when it cannot be known: another system, no such process, or it is hidden. */
export function processStat(pid: number | "self"): ProcessStat | undefined {
  try {
    return parsed(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

function parsed(text: string): ProcessStat | undefined {
  // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, threads, started] = [fields[0], fields[17], fields[19]];
  if (started === undefined || !/^\d{1,20}$/.test(started)) return undefined;
  // The first thread may be a zombie while others live on.
  return { started, ended: (state === "Z" || state === "X") && Number(threads) <= 1 };
}
