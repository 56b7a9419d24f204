import type { Command as Program } from "commander";
import type { Clock } from "../connectors/wrappers/clock.ts";
import type { Environment } from "../model/environment.ts";
import type { Reporter } from "../model/reporter.ts";
import type { Redactor } from "../redact/redact.ts";

/** What a command needs while it works. */
export interface RunContext {
  readonly runId: string;
  readonly reporter: Reporter;
  /** Writes a result that is a text for other programs, as it is and whatever the flags for output say. */
  readonly print: (text: string) => void;
  /** Takes secrets out of what is written elsewhere than by the reporter. */
  readonly redactor: Redactor;
  /** Ends every wait; its reason is what the run fails with. */
  readonly signal: AbortSignal;
  /** Asks the person; undefined where nobody can answer (no terminal). */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** The same for an answer in words; the end of input is an empty one. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** By which long waits are kept; absent: this machine's. */
  readonly clock?: Clock | undefined;
}

/** A run that is ready: all options are valid, nothing was contacted. Resolves with the process's exit status. */
export type RunWork = (context: RunContext) => Promise<number>;

/** Everything a command's flags and surroundings say about its run. */
export interface PreparedRun {
  readonly work: RunWork;
  readonly warnings: readonly string[];
  /** Values that no output may show. */
  readonly secrets: readonly string[];
}

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** One verb: how it is given on the command line, and what it does with valid flags. */
export interface Command {
  readonly name: string;
  /** Adds flags, examples and help to the program; loads nothing heavy. */
  describe(program: Program): Program;
  /** Checks everything that can be checked without contact; `args` is what stands beside the flags. @throws DualsyncError `usage` or `refused` */
  prepare(
    flags: Readonly<Record<string, unknown>>,
    environment: Environment,
    args: readonly string[],
  ): PreparedRun | Promise<PreparedRun>;
}

/** For an option that may be given several times: its values in their order. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** The option of commands that take a KV store; `config/pairs/prefixed.ts` gives it its meaning. */
export const KV_ENV_PREFIX = [
  "--kv-env-prefix <prefix>",
  "what the names of the KV variables begin with",
] as const;
