/**
 * Every way a run can end. The number is the process's exit status; a script must treat an unknown one
 * as failure. This table is the only place that maps outcomes to numbers; `--help` and docs/exit-status.md print it.
 * `next` is what to do then.
 */
export const EXIT_CODES = [
  { code: 0, name: "done", meaning: "done, or identical", next: "Nothing." },
  {
    code: 1,
    name: "different",
    meaning: "differences found",
    next: "Look at what the report names. `duplicate` or `backfill` brings the copy up to date.",
  },
  {
    code: 2,
    name: "usage",
    meaning: "wrong usage or configuration; nothing was contacted",
    next: "Correct the flag, variable or file that the message names.",
  },
  {
    code: 3,
    name: "incomplete",
    meaning: "finished, but named things could not be copied or reproduced",
    next: "Look at the named items. Fix them, or accept a known one with `--accept`.",
  },
  {
    code: 4,
    name: "source",
    meaning: "the source could not be reached or failed",
    next: "See Troubleshooting. The target may be incomplete; run the same command again to resume.",
  },
  {
    code: 5,
    name: "target",
    meaning: "the target could not be reached or failed",
    next: "See Troubleshooting. The source is untouched; run the same command again to resume.",
  },
  {
    code: 6,
    name: "refused",
    meaning: "refused by a guard before it could do harm",
    next: "Check the addresses and flags that the message names. Nothing needs fixing.",
  },
  {
    code: 7,
    name: "locked",
    meaning: "another run is writing to this target",
    next: "Wait for that run. If it is dead, try again after a minute.",
  },
  {
    code: 8,
    name: "denied",
    meaning: "wrong credentials or a missing permission",
    next: "Check the user, the password or key, and the permissions; see Troubleshooting.",
  },
  {
    code: 9,
    name: "local",
    meaning: "a problem with the local disk or with state files",
    next: "Free disk space or fix file permissions on this machine, and run again.",
  },
  {
    code: 10,
    name: "history-lost",
    meaning: "the history that is needed to resume is gone",
    next: "Run `duplicate`, which needs no history.",
  },
  {
    code: 11,
    name: "unverified",
    meaning: "verification after a copy failed",
    next: "Do not trust the copy. Run again; if it ends with 11 again, something else writes to the target.",
  },
  {
    code: 12,
    name: "inconclusive",
    meaning: "inconclusive: not everything was compared",
    next: "Make what the report names readable or comparable, and run again. After `--max-minutes`, run again to resume.",
  },
  {
    code: 70,
    name: "bug",
    meaning: "a bug in dualsync",
    next: "Report it with the printed lines. Running again does no harm.",
  },
  {
    code: 130,
    name: "interrupted",
    meaning: "interrupted (Ctrl-C) after a clean stop",
    next: "Run the same command again to resume.",
  },
  {
    code: 143,
    name: "terminated",
    meaning: "terminated (SIGTERM) after a clean stop",
    next: "Run the same command again to resume.",
  },
] as const;

export type ExitName = (typeof EXIT_CODES)[number]["name"];

/** The exit status of an outcome. */
export function exitCode(name: ExitName): number {
  const found = EXIT_CODES.find((row) => row.name === name);
  return found === undefined ? 70 : found.code;
}

/**
 * Why a store does not do what it is asked, where that is known: for programs, as the message is for people. `hidden`: it
 * does not show what it may hold. `quota`: what its plan includes is used up. `throttled`: too much was asked of it at a
 * time. `paused`: its operator has switched it off. `referred`: other documents refer to what should be removed.
 */
export type FailureReason = "hidden" | "quota" | "throttled" | "paused" | "referred";

export interface DualsyncErrorOptions {
  /** What the person can do next: a command, a variable, a place to look. */
  readonly hint?: string | undefined;
  readonly cause?: unknown | undefined;
  /** True when the same call may succeed later; only a connector knows, at its edge. */
  readonly retryable?: boolean | undefined;
  /** True when one collection alone is the matter: it is named, and the others go on. */
  readonly ofOneCollection?: boolean | undefined;
  readonly reason?: FailureReason | undefined;
  /** Milliseconds that the store asked to wait. */
  readonly retryAfter?: number | undefined;
}

/**
 * The one error class of this program. `message` is a full sentence that says what failed and where, and never
 * holds a credential or a document's value.
 */
export class DualsyncError extends Error {
  override readonly name = "DualsyncError";
  readonly exit: ExitName;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly ofOneCollection: boolean;
  readonly reason: FailureReason | undefined;
  readonly retryAfter: number | undefined;

  constructor(exit: ExitName, message: string, options: DualsyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exit = exit;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.ofOneCollection = options.ofOneCollection ?? false;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter;
  }
}
