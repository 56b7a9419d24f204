/** What the flags and the surroundings of a command that copies mean: everything is checked here, nothing is contacted. */

import { secretsOf } from "../../config/pairs/location.ts";
import { resolvePair } from "../../config/pairs/pairs.ts";
import { byteSize, readRate } from "../../config/settings/byte-size.ts";
import { readSettings } from "../../config/settings/settings.ts";
import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import type { VerifyMode } from "../../core/plan/verify-mode.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { DualsyncError } from "../../model/errors.ts";
import { StateFile } from "../../state/job/state-file.ts";
import type { PreparedRun } from "../command.ts";
import { fieldName } from "../run/field-name.ts";
import { pointInTime } from "../run/point-in-time.ts";
import { keyOf, readSelection, type SelectionFlags } from "../run/selection.ts";
import { minutes } from "../run/time-limit.ts";
import type { CopyingCommand, CopyingOptions, Since } from "./copy-options.ts";

/** As the command line gives them: texts are not checked yet. */
export interface CopyingFlags extends SelectionFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly batchSize?: string | undefined;
  readonly concurrency?: string | undefined;
  /** Absent where there are none. */
  readonly indexes?: boolean | undefined;
  readonly since?: string | undefined;
  readonly delete?: boolean | undefined;
  readonly verify?: string | undefined;
  readonly accept?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly allowShrink?: boolean | undefined;
  readonly intoExisting?: string | undefined;
  readonly newerBy?: string | undefined;
  readonly maxMinutes?: string | undefined;
  readonly rate?: string | undefined;
  readonly maxTargetSize?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly keep?: string | undefined;
  readonly gzip?: boolean | undefined;
}

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export async function prepareCopying(
  command: CopyingCommand,
  flags: CopyingFlags,
  environment: Environment,
): Promise<PreparedRun> {
  const settings = readSettings({
    environment,
    flags: { batchSize: flags.batchSize, concurrency: flags.concurrency },
  });
  const pair = resolvePair(command, { from: flags.from, to: flags.to, environment });
  const { source: from } = pair;
  const to = archived(pair.target, flags);
  assertTargetNamed(flags, connectorOf(to).place(to).database);
  const selected = await readSelection(flags, settings.excluded, from, to);
  const options: CopyingOptions = {
    command,
    from,
    to,
    ...selected,
    verify: verifyMode(flags.verify),
    delete: flags.delete ?? false,
    indexes: flags.indexes ?? false,
    since: flags.since === undefined ? undefined : sinceOf(flags.since),
    batchSize: settings.batchSize,
    concurrency: settings.concurrency,
    retries: settings.maxRetries,
    accept: flags.accept ?? [],
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
    allowShrink: flags.allowShrink ?? false,
    intoExisting: flags.intoExisting !== undefined,
    newerBy: flags.newerBy === undefined ? undefined : fieldName(flags.newerBy),
    restart: flags.restart ?? false,
    keep: flags.keep === undefined ? undefined : keptNumber(flags.keep),
    ...limitsOf(flags),
    cwd: environment.cwd,
    state: new StateFile(environment.cwd, keyOf(jobOf(command, flags), from, to, selected.wanted)),
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(pair.source), ...secretsOf(pair.target)],
    async work(context) {
      const { copying } = await import("./copy.ts");
      return await copying(options, context);
    },
  };
}

/** What is said of copies that are written as a whole. @throws DualsyncError `usage` where the target is nothing of the kind */
function archived(to: Location, { keep, gzip, ...flags }: CopyingFlags): Location {
  const { refine, words } = connectorOf(to);
  if (refine === undefined) {
    const flag = keep !== undefined ? "--keep" : gzip === true ? "--gzip" : undefined;
    if (flag === undefined) return to;
    throw configurationError(
      `${flag} belongs to archives, but the target is ${words.store}.`,
      "Leave it out, or write --to file:DIR.",
    );
  }
  const senseless = (
    ["delete", "since", "newerBy", "restart", "maxTargetSize", "intoExisting", "allowShrink"] as const
  ).find((name) => flags[name] !== undefined && flags[name] !== false);
  if (senseless !== undefined)
    throw configurationError(
      `--${senseless.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} cannot be used where the target is ${words.store}: each run writes a new one.`,
      "Leave it out.",
    );
  return gzip === true ? refine(to, { compressed: true }) : to;
}

function keptNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,6}$/.test(text) && number >= 1) return number;
  throw configurationError("--keep must be a number of archives, 1 or more.", "The new archive counts, too.");
}

/** A run that reads only what has changed does not resume one that reads everything, nor the other way round. */
function jobOf(command: CopyingCommand, { since }: CopyingFlags): string {
  return since === undefined ? command : `${command} --since ${since.trim()}`;
}

function limitsOf({ maxMinutes, rate, maxTargetSize }: CopyingFlags) {
  return {
    maxMinutes: maxMinutes === undefined ? undefined : minutes(maxMinutes),
    rate: rate === undefined ? undefined : readRate(rate, "--rate"),
    maxTargetSize: maxTargetSize === undefined ? undefined : byteSize(maxTargetSize, "--max-target-size"),
  };
}

/** Whoever lets a filled target be overwritten shows by its name that they know which one. */
function assertTargetNamed({ intoExisting, delete: deletes }: CopyingFlags, database: string): void {
  if (intoExisting === undefined) return;
  if (intoExisting !== database) {
    throw configurationError(
      `--into-existing names ${JSON.stringify(intoExisting)}, but the target's database is ${JSON.stringify(database)}.`,
      "Is this the right target? --into-existing takes the name of its database.",
    );
  }
  if (deletes === true) {
    throw configurationError(
      "--into-existing and --delete cannot be used together.",
      "First make the target a copy with --into-existing; then --delete --dry-run shows what would be removed.",
    );
  }
}

/** A date, a date and time, or the word for the last run. */
function sinceOf(text: string): Since {
  if (text.trim() === "last") return "last";
  const time = pointInTime(text);
  if (time !== undefined) return time;
  throw configurationError(
    "--since must be a date such as 2026-11-21, a time such as 2026-11-21T03:00:00Z, or last.",
    "last reads only what changed since the last run that finished.",
  );
}

function verifyMode(text = "content"): VerifyMode {
  if (text === "content" || text === "counts" || text === "none") return text;
  throw new DualsyncError("usage", "--verify must be content, counts or none. Nothing was contacted.", {
    hint: "content reads the copy back and compares it byte for byte; it is the default.",
  });
}
