import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who a process is, so that a later one can know for sure that it is dead. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** The running kernel and the namespace in which `pid` counts; undefined where that cannot be known. */
  readonly machine?: string;
  /** Tells the process from a later one that was given the same `pid`. */
  readonly started?: string;
}

/** Pids and start times only compare among processes of one `machine`. */
const machine = thisMachine();

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  const started = processStat("self")?.started;
  return {
    host: hostname(),
    pid: process.pid,
    ...(machine === undefined ? {} : { machine }),
    ...(started === undefined ? {} : { started }),
  };
}

/** True only when it is certain that the process no longer exists. Unknown is false, and so is what is malformed. */
export function isDead(other: ProcessIdentity): boolean {
  const { pid, started } = other;
  if (machine === undefined || other.machine !== machine) return false;
  if (!Number.isInteger(pid) || pid <= 0 || pid > 0x7fff_ffff) return false;
  if (started !== undefined && !(typeof started === "string" && /^\d{1,20}$/.test(started))) return false;
  if (isAbsent(pid)) return true;
  const now = processStat(pid);
  if (now === undefined) return false;
  return now.ended || (started !== undefined && now.started !== started);
}

/** Asked of the kernel itself: in /proc the processes of others may be hidden. */
function isAbsent(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function thisMachine(): string | undefined {
  try {
    // Somebody else's /proc (a container can be given its host's) counts other processes than this one sees.
    if (readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    const parts = [boot, readlinkSync("/proc/self/ns/pid"), timeNamespace()];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  } catch {
    return undefined;
  }
}

/** Start times are given by the clock of the namespace that asks; older kernels have only one. */
function timeNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/time");
  } catch {
    return "";
  }
}

/** What Linux says about a process in /proc/PID/stat, as far as it is of use here. */
interface ProcessStat {
  /** Clock ticks from the machine's start to the process's. */
  readonly started: string;
  /** It has ended as a whole, and only waits for its parent to take note. */
  readonly ended: boolean;
}

/** Undefined when it cannot be known: another system, no such process, or it is hidden. */
function processStat(pid: number | "self"): ProcessStat | undefined {
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
