/** What the flags and the surroundings of `duplicate` mean: everything is checked here, nothing is contacted. */
import { serialize } from "bson";
import { byteSize } from "../config/byte-size.ts";
import { configurationError } from "../config/configuration-error.ts";
import type { Environment } from "../config/environment.ts";
import { parseFilters } from "../config/filters.ts";
import { checkGlobs, select, unmatched } from "../config/globs.ts";
import { type Location, secretsOf } from "../config/location.ts";
import { resolvePair } from "../config/pairs.ts";
import { readRate } from "../config/rate.ts";
import { parseRenames } from "../config/renames.ts";
import { readSettings } from "../config/settings.ts";
import type { StoreAddress } from "../connectors/index.ts";
import type { Wanted } from "../core/plan.ts";
import type { VerifyMode } from "../core/verify-mode.ts";
import { DualsyncError } from "../errors.ts";
import { jobKey } from "../state/job-key.ts";
import { StateFile } from "../state/state-file.ts";
import type { Prepared } from "./command.ts";
import type { DuplicateOptions } from "./duplicate-options.ts";

/** What a timer can count: 24 days. A longer one would end at once. */
const MOST_MINUTES = 35_000;

/** As the command line gives them: texts are not checked yet. */
export interface DuplicateFlags {
  readonly from?: string;
  readonly to?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: readonly string[];
  readonly filter?: readonly string[];
  readonly batchSize?: string;
  readonly concurrency?: string;
  readonly indexes: boolean;
  readonly delete?: boolean;
  readonly verify?: string;
  readonly accept?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly allowShrink?: boolean;
  readonly intoExisting?: string;
  readonly maxMinutes?: string;
  readonly rate?: string;
  readonly maxTargetSize?: string;
  readonly restart?: boolean;
}

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export function prepareDuplicate(flags: DuplicateFlags, environment: Environment): Prepared {
  const settings = readSettings({
    environment,
    flags: { batchSize: flags.batchSize, concurrency: flags.concurrency },
  });
  const pair = resolvePair("duplicate", { from: flags.from, to: flags.to, environment });
  const from = addressOf(pair.source, "source");
  const to = addressOf(pair.target, "target");
  mustNameTarget(flags, to.database);
  const include = flags.include ?? [];
  const exclude = flags.exclude ?? [];
  checkGlobs(include, "--include");
  checkGlobs(exclude, "--exclude");
  const globs = { include, exclude: [...exclude, ...settings.excluded] };
  const wanted = {
    selects: (name: string) => select([name], globs).length > 0,
    renames: parseRenames(flags.rename ?? []),
    filters: parseFilters(flags.filter ?? []),
  };
  const options: DuplicateOptions = {
    from,
    to,
    wanted,
    // Names from SYNC_EXCLUDED_COLLECTIONS may well be absent: the variable serves several databases.
    unmatched: (names: readonly string[]) => unmatched(names, { include, exclude }),
    verify: verifyMode(flags.verify),
    delete: flags.delete ?? false,
    indexes: flags.indexes,
    ...(settings.batchSize === undefined ? {} : { batchSize: settings.batchSize }),
    concurrency: settings.concurrency,
    ...(settings.maxRetries === undefined ? {} : { retries: settings.maxRetries }),
    accept: flags.accept ?? [],
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
    allowShrink: flags.allowShrink ?? false,
    intoExisting: flags.intoExisting !== undefined,
    restart: flags.restart ?? false,
    ...limitsOf(flags),
    cwd: environment.cwd,
    state: new StateFile(environment.cwd, keyOf(from, to, wanted)),
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(pair.source), ...secretsOf(pair.target)],
    async work(context) {
      const { duplicate } = await import("./duplicate.ts");
      return await duplicate(options, context);
    },
  };
}

function limitsOf({ maxMinutes, rate, maxTargetSize }: DuplicateFlags) {
  return {
    ...(maxMinutes === undefined ? {} : { maxMinutes: minutes(maxMinutes) }),
    ...(rate === undefined ? {} : { rate: readRate(rate, "--rate") }),
    ...(maxTargetSize === undefined ? {} : { maxTargetSize: byteSize(maxTargetSize, "--max-target-size") }),
  };
}

/** What makes this job the same as an earlier one; how it is done does not count. */
function keyOf(source: StoreAddress, target: StoreAddress, { filters, renames }: Wanted): string {
  const canonical = new Map(
    [...filters].map(([name, filter]) => [name, Buffer.from(serialize(filter)).toString("hex")]),
  );
  return jobKey({ command: "duplicate", source, target, filters: canonical, renames });
}

/** Whoever lets a filled target be overwritten shows by its name that they know which one. */
function mustNameTarget({ intoExisting, delete: deletes }: DuplicateFlags, database: string): void {
  if (intoExisting === undefined) return;
  if (intoExisting !== database) {
    throw configurationError(
      `--into-existing names ${JSON.stringify(intoExisting)}, but the target's database is ${JSON.stringify(database)}.`,
      "Is it the right target? Name the database that is to become the copy.",
    );
  }
  if (deletes === true) {
    throw configurationError(
      "--into-existing and --delete cannot be used together.",
      "Make the target a copy first; then see with --delete --dry-run what would be removed.",
    );
  }
}

function minutes(text: string): number {
  const value = /^\d{1,5}(\.\d{1,3})?$/.test(text.trim()) ? Number(text) : 0;
  if (value > 0 && value <= MOST_MINUTES) return value;
  throw configurationError(
    "--max-minutes must be a number of minutes above 0, such as 90 or 0.5, and at most 35000.",
    "Correct it and run again.",
  );
}

function verifyMode(text = "content"): VerifyMode {
  if (text === "content" || text === "counts" || text === "none") return text;
  throw new DualsyncError("usage", "--verify must be content, counts or none. Nothing was contacted.", {
    hint: "content reads the copy back and compares it byte for byte; it is the default.",
  });
}

/** `duplicate` copies between MongoDB databases only. */
function addressOf(location: Location, role: string): StoreAddress {
  if (location.kind === "mongodb") {
    const { uri, hosts, display } = location.address;
    return { kind: "mongodb", uri, hosts, database: location.database, label: display };
  }
  throw new DualsyncError(
    "usage",
    `duplicate copies from MongoDB to MongoDB, and its ${role} is ${location.kind}.`,
    {
      hint: "Nothing was contacted. Give a MongoDB location with --from and --to.",
    },
  );
}
