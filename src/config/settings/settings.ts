import { availableParallelism } from "node:os";
import { configurationError } from "../../model/configuration-error.ts";
import { describeVariable, type Environment } from "../../model/environment.ts";
import { safeText } from "../../redact/redact.ts";
import { globProblem } from "../selection/globs.ts";

/** The limits of a number; `name` is the flag or variable as people write it. */
export interface NumberRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** The texts of flags, undefined where a flag was not given. */
export interface SettingFlags {
  readonly batchSize?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly maxRetries?: string | undefined;
}

export interface Settings {
  /** Largest number of documents in a batch; undefined leaves it to the connectors, which bound the bytes anyway. */
  readonly batchSize: number | undefined;
  /** Ranges copied at the same time. */
  readonly concurrency: number;
  /** How often a failed call is tried again; undefined leaves it to the connectors. */
  readonly maxRetries: number | undefined;
  /** Globs of SYNC_EXCLUDED_COLLECTIONS. */
  readonly excluded: readonly string[];
}

const BATCH_SIZE = { min: 1, max: 100_000 };
const CONCURRENCY = { min: 1, max: 64 };
const MAX_RETRIES = { min: 0, max: 100 };
/** Three keep two processors busy while ranges are read, written and read back; more than four seldom help a server. */
const DEFAULT_CONCURRENCY = Math.min(4, Math.max(3, availableParallelism()));
const LONGEST_SHOWN = 40;

/** Flags before variables before defaults. Fails with `usage` once, with a line for each value that cannot be right. */
export function readSettings({
  environment,
  flags,
}: {
  readonly environment: Environment;
  readonly flags: SettingFlags;
}): Settings {
  const problems: string[] = [];

  function number(text: string | undefined, rule: NumberRule): number | undefined {
    if (text === undefined) return undefined;
    const problem = numberProblem(text, rule);
    if (problem === undefined) return Number(text.trim());
    problems.push(problem);
    return undefined;
  }

  function setting(
    flag: string,
    text: string | undefined,
    variableName: string,
    limits: Omit<NumberRule, "name">,
  ): number | undefined {
    if (text !== undefined) return number(text, { name: flag, ...limits });
    const variable = environment.get(variableName);
    if (variable === undefined) return undefined;
    return number(variable.value, { name: describeVariable(variableName, variable), ...limits });
  }

  const settings = {
    batchSize: setting("--batch-size", flags.batchSize, "SYNC_BATCH_SIZE", BATCH_SIZE),
    concurrency: number(flags.concurrency, { name: "--concurrency", ...CONCURRENCY }) ?? DEFAULT_CONCURRENCY,
    maxRetries: setting("--max-retries", flags.maxRetries, "SYNC_MAX_RETRIES", MAX_RETRIES),
    excluded: excludedCollections(environment, problems),
  };
  if (problems.length > 0) {
    throw configurationError(
      problems.join(" "),
      problems.length === 1 ? "Correct it and run again." : "Correct these and run again.",
    );
  }
  return settings;
}

function numberProblem(text: string, { name, min, max }: NumberRule): string | undefined {
  const written = text.trim();
  const value = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
  if (value >= min && value <= max) return undefined;
  const shown = written.length > LONGEST_SHOWN ? `${written.slice(0, LONGEST_SHOWN)}…` : written;
  return `${name} must be a whole number from ${min} to ${max}, but it is "${safeText(shown)}".`;
}

function excludedCollections(environment: Environment, problems: string[]): string[] {
  const variable = environment.get("SYNC_EXCLUDED_COLLECTIONS");
  if (variable === undefined) return [];
  const globs = variable.value.split(",").flatMap((glob) => (glob.trim() === "" ? [] : [glob.trim()]));
  for (const glob of globs) {
    const problem = globProblem(glob);
    if (problem !== undefined)
      problems.push(
        `${describeVariable("SYNC_EXCLUDED_COLLECTIONS", variable)} holds a name that ${problem}.`,
      );
  }
  return globs;
}
