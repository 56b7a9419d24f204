/** What the flags and the surroundings of `sync-kv` mean: everything is checked here, nothing is contacted. */
import { secretsOf } from "../../config/pairs/location.ts";
import { resolvePair, type StorePair } from "../../config/pairs/pairs.ts";
import { sidesOf } from "../../config/pairs/sides.ts";
import { readSettings } from "../../config/settings/settings.ts";
import { connectorOf } from "../../connectors/registry.ts";
import type { ConflictRule, Direction } from "../../core/sync/decide.ts";
import { configurationError, listed } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import type { PreparedRun } from "../command.ts";
import { minutes } from "../run/time-limit.ts";
import { directionText, type SyncKvOptions } from "./sync-kv-options.ts";

/** As the command line gives them: texts are not checked yet. */
export interface SyncKvFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly layout?: string | undefined;
  readonly direction?: string | undefined;
  readonly onConflict?: string | undefined;
  readonly delete?: boolean | undefined;
  readonly missing?: string | undefined;
  readonly allowShrink?: boolean | undefined;
  readonly intoExisting?: string | undefined;
  readonly accept?: readonly string[] | undefined;
  readonly maxCommands?: string | undefined;
  readonly maxMinutes?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly check?: boolean | undefined;
  readonly waitForRecovery?: boolean | undefined;
}

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  "to-mongodb": "to copy",
  "to-kv": "to primary",
  both: "both",
};

const RULES: Readonly<Record<string, ConflictRule>> = { kv: "primary", mongodb: "copy", park: "park" };

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export function prepareSyncKv(flags: SyncKvFlags, environment: Environment): PreparedRun {
  if (flags.check === true) return prepareCheck(flags, environment);
  const { maxRetries } = readSettings({ environment, flags: {} });
  const direction = oneOf("--direction", flags.direction ?? "to-mongodb", DIRECTIONS);
  const pair = resolvePair("sync-kv", { from: flags.from, to: flags.to, environment });
  const { kv, mongodb } = storesOf(pair);
  assertOrder(flags, pair, direction);
  const { database } = connectorOf(mongodb).place(mongodb);
  assertNamed(flags.intoExisting, database);
  if (flags.missing !== undefined) {
    oneOf("--missing", flags.missing, { all: true });
    if (direction !== "to primary")
      throw configurationError("--missing belongs to --direction to-kv.", "Leave one of them out.");
  }
  const options: SyncKvOptions = {
    kv,
    mongodb,
    database,
    direction,
    onConflict: oneOf("--on-conflict", flags.onConflict ?? "park", RULES),
    delete: flags.delete ?? false,
    restoresMarked: flags.missing !== undefined,
    layout: flags.layout,
    intoExisting: flags.intoExisting !== undefined,
    allowShrink: flags.allowShrink ?? false,
    accept: flags.accept ?? [],
    maxCommands: flags.maxCommands === undefined ? undefined : commands(flags.maxCommands),
    maxMinutes: flags.maxMinutes === undefined ? undefined : minutes(flags.maxMinutes),
    waitsForRecovery: flags.waitForRecovery ?? false,
    retries: maxRetries,
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
    cwd: environment.cwd,
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(kv), ...secretsOf(mongodb)],
    async work(context) {
      const { syncKv } = await import("./sync-kv.ts");
      return await syncKv(options, context);
    },
  };
}

function storesOf({ source, target }: StorePair): Pick<SyncKvOptions, "kv" | "mongodb"> {
  return source.kind === "kv" ? { kv: source, mongodb: target } : { kv: target, mongodb: source };
}

/** Flags that say where the stores are, and how results are shown. */
const OF_CHECK: ReadonlySet<string> = new Set([
  ...["check", "from", "to", "kvEnvPrefix"],
  ...["json", "quiet", "verbose"],
]);

function prepareCheck(flags: SyncKvFlags, environment: Environment): PreparedRun {
  const other = Object.keys(flags).find((name) => !OF_CHECK.has(name));
  if (other !== undefined)
    throw configurationError(
      `--check goes without --${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.`,
      "It only asks whether both stores serve. Leave one of them out.",
    );
  const {
    primary: kv,
    copy: mongodb,
    warnings,
  } = sidesOf("kv", { from: flags.from, to: flags.to, environment });
  if (kv === undefined && mongodb === undefined) resolvePair("sync-kv", { environment });
  const lacking = connectorOf({ kind: "kv" }).primary?.lacking?.(environment);
  return {
    warnings,
    secrets: [kv, mongodb].flatMap((location) => (location === undefined ? [] : secretsOf(location))),
    async work(context) {
      const { check } = await import("./check.ts");
      return await check({ kv, mongodb, lacking }, context);
    },
  };
}

/** The direction alone decides which store is written; stores that are given the other way round say something else. */
function assertOrder({ from, to }: SyncKvFlags, { source }: StorePair, direction: Direction): void {
  if (direction === "both" || (from === undefined && to === undefined)) return;
  const given = source.kind === "kv" ? "to copy" : "to primary";
  if (given === direction) return;
  const [text, other] = [directionText(direction), directionText(given)];
  throw configurationError(
    `--from and --to go ${other}, and the direction is ${text}${direction === "to copy" ? ", which is the default" : ""}.`,
    `Add --direction ${other}, or swap --from and --to. --direction alone decides which store is written.`,
  );
}

/** Whoever lets a filled database become a copy shows by its name that they know which one. */
function assertNamed(name: string | undefined, database: string): void {
  if (name === undefined || name === database) return;
  throw configurationError(
    `--into-existing names ${JSON.stringify(name)}, but the MongoDB database is ${JSON.stringify(database)}.`,
    "Is this the right database? --into-existing takes its name.",
  );
}

function oneOf<T>(flag: string, text: string, values: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(values, text) ? values[text] : undefined;
  if (value !== undefined) return value;
  throw configurationError(
    `${flag} must be ${listed(Object.keys(values), "or")}.`,
    "Correct it and run again.",
  );
}

function commands(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text.trim())) return Number(text);
  throw configurationError(
    "--max-commands must be a whole number above 0, such as 5000.",
    "Correct it and run again.",
  );
}
