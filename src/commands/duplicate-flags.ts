/** What the flags and the surroundings of `duplicate` mean: everything is checked here, nothing is contacted. */
import type { Environment } from "../config/environment.ts";
import { parseFilters } from "../config/filters.ts";
import { checkGlobs, select, unmatched } from "../config/globs.ts";
import { type Location, secretsOf } from "../config/location.ts";
import { resolvePair } from "../config/pairs.ts";
import { parseRenames } from "../config/renames.ts";
import { readSettings } from "../config/settings.ts";
import type { StoreAddress } from "../connectors/index.ts";
import type { VerifyMode } from "../core/job.ts";
import { DualsyncError } from "../errors.ts";
import type { Prepared } from "./command.ts";

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
}

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export function prepareDuplicate(flags: DuplicateFlags, environment: Environment): Prepared {
  const settings = readSettings({
    environment,
    flags: { batchSize: flags.batchSize, concurrency: flags.concurrency },
  });
  const pair = resolvePair("duplicate", { from: flags.from, to: flags.to, environment });
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
  const options = {
    from: addressOf(pair.source, "source"),
    to: addressOf(pair.target, "target"),
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

function verifyMode(text = "content"): VerifyMode {
  if (text === "content" || text === "counts" || text === "none") return text;
  throw new DualsyncError("usage", "--verify must be content, counts or none. Nothing was contacted.", {
    hint: "content reads the copy back and compares it byte for byte; it is the default.",
  });
}

/** `duplicate` copies between MongoDB databases only. */
function addressOf(location: Location, role: string): StoreAddress {
  if (location.kind === "mongodb") {
    const { uri, display } = location.address;
    return { kind: "mongodb", uri, database: location.database, label: display };
  }
  throw new DualsyncError(
    "usage",
    `duplicate copies from MongoDB to MongoDB, and its ${role} is ${location.kind}.`,
    {
      hint: "Nothing was contacted. Give a MongoDB location with --from and --to.",
    },
  );
}
