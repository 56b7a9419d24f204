/** What the flags and the surroundings of `restore` mean: everything is checked here, nothing is contacted. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { secretsOf } from "../../config/pairs/location.ts";
import { resolvePair } from "../../config/pairs/pairs.ts";
import { readRate } from "../../config/settings/byte-size.ts";
import { readSettings } from "../../config/settings/settings.ts";
import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { RESTORE_MODES, type RestoreMode } from "../../core/restore/restore-mode.ts";
import { configurationError, listed } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { DualsyncError } from "../../model/errors.ts";
import { shellWord } from "../../model/shell-word.ts";
import type { PreparedRun } from "../command.ts";
import { fieldName } from "../run/field-name.ts";
import { pointInTime } from "../run/point-in-time.ts";
import { readSelection, type SelectionFlags } from "../run/selection.ts";
import type { RestoreOptions } from "./restore-options.ts";

/** As the command line gives them: texts are not checked yet. */
export interface RestoreFlags extends SelectionFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly at?: string | undefined;
  readonly id?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  /** Absent where there are none. */
  readonly indexes?: boolean | undefined;
  readonly mode?: string | undefined;
  readonly newerBy?: string | undefined;
  readonly includeNewer?: boolean | undefined;
  readonly allowShrink?: boolean | undefined;
  readonly accept?: readonly string[] | undefined;
  readonly batchSize?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly rate?: string | undefined;
  readonly apply?: boolean | undefined;
  readonly confirm?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Variables that say that a machine is thrown away once its work is done. */
const THROW_AWAY = ["CI", "VERCEL"];

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export async function prepareRestore(flags: RestoreFlags, environment: Environment): Promise<PreparedRun> {
  const settings = readSettings({
    environment,
    flags: { batchSize: flags.batchSize, concurrency: flags.concurrency },
  });
  const pair = resolvePair("restore", { from: flags.from, to: flags.to, environment });
  const { target: to } = pair;
  const from = flags.at === undefined ? pair.source : asOf(pair.source, flags.at);
  const targetName = nameOf(to);
  assertTargetNamed(flags.confirm, targetName, to);
  const mode = modeOf(flags.mode);
  assertFit(flags, mode);
  assertMergeable(mode, to);
  const documents = [...(flags.id ?? []), ...(flags.ids ?? []).flatMap((file) => linesOf(file, environment))];
  const selected = await readSelection(flags, settings.excluded, from, to);
  const options: RestoreOptions = {
    from,
    to,
    targetName,
    ...selected,
    documents,
    mode,
    apply: flags.apply ?? false,
    dryRun: flags.dryRun ?? false,
    confirmed: flags.confirm,
    nextCommand: (name, at) =>
      nextCommand(at === undefined ? flags : { ...flags, at: at.toISOString() }, name),
    includeNewer: flags.includeNewer ?? false,
    allowShrink: flags.allowShrink ?? false,
    newerBy: flags.newerBy === undefined ? undefined : fieldName(flags.newerBy),
    indexes: flags.indexes ?? false,
    accept: flags.accept ?? [],
    batchSize: settings.batchSize,
    concurrency: settings.concurrency,
    retries: settings.maxRetries,
    rate: flags.rate === undefined ? undefined : readRate(flags.rate, "--rate"),
    cwd: environment.cwd,
    throwAway: THROW_AWAY.find((name) => environment.get(name) !== undefined),
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(from), ...secretsOf(to)],
    async work(context) {
      const { restoring } = await import("./restore.ts");
      return await restoring(options, context);
    },
  };
}

/** @throws DualsyncError `usage` where the source keeps no earlier copies, or the text is no time */
function asOf(from: Location, text: string): Location {
  const { refine, words } = connectorOf(from);
  if (refine === undefined)
    throw configurationError(
      `--at belongs to archives, but the copy is ${words.store}.`,
      "Leave it out, or write --from file:DIR.",
    );
  const at = pointInTime(text);
  if (at !== undefined) return refine(from, { at });
  throw configurationError(
    "--at must be a date such as 2026-11-21 or a time such as 2026-11-21T03:00:00Z.",
    "The last archive that was begun by then is taken.",
  );
}

function nameOf(to: Location): string {
  const place = connectorOf(to).place(to);
  return place.name ?? place.database;
}

/** Whoever lets a target be written to shows by its name that they know which one. */
function assertTargetNamed(confirmed: string | undefined, name: string, { label }: Location): void {
  if (confirmed === undefined || confirmed === name || confirmed === label) return;
  throw configurationError(
    `--confirm names ${JSON.stringify(confirmed)}, but the target is ${JSON.stringify(name)}.`,
    "Is this the right target? The plan shows its name: run the same command without --apply.",
  );
}

function modeOf(text = "missing"): RestoreMode {
  const mode = RESTORE_MODES.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw configurationError(
    `--mode must be ${listed([...RESTORE_MODES], "or")}.`,
    "missing, the default, adds what the target lacks and changes nothing else.",
  );
}

function assertFit(flags: RestoreFlags, mode: RestoreMode): void {
  const problem = (flag: string, only: RestoreMode): Error =>
    configurationError(`${flag} belongs to --mode ${only}.`, `Add --mode ${only}, or leave ${flag} out.`);
  if (flags.includeNewer === true && mode !== "exact") throw problem("--include-newer", "exact");
  if (flags.allowShrink === true && mode !== "exact") throw problem("--allow-shrink", "exact");
  if (flags.apply === true && flags.dryRun === true)
    throw configurationError("--apply and --dry-run contradict each other.", "Leave one of them out.");
  const hasIds = (flags.id ?? []).length + (flags.ids ?? []).length > 0;
  if (hasIds && mode === "exact")
    throw configurationError(
      "--mode exact removes what the copy does not have, so it cannot be used with --id or --ids.",
      "Use --mode overwrite.",
    );
  if (hasIds && (flags.filter ?? []).length > 0)
    throw configurationError("--filter cannot be used with --id or --ids.", "Leave one of them out.");
}

/** Where nothing but earlier agreements tells what is newer, the command that knows these merges. */
function assertMergeable(mode: RestoreMode, to: Location): void {
  const { words, primary: { refilledBy } = {} } = connectorOf(to);
  if (mode !== "merge" || refilledBy === undefined) return;
  throw configurationError(
    `--mode merge cannot be used where the target is ${words.store}: nothing in it tells which of two values is newer.`,
    `dualsync ${refilledBy} decides by what both sides held when they last agreed. Or take --mode missing or overwrite.`,
  );
}

/** @throws DualsyncError `usage` where there is no such file, or nothing in it */
function linesOf(file: string, { cwd }: Environment): readonly string[] {
  try {
    return documentLines(readFileSync(resolve(cwd, file), "utf8"), file);
  } catch (cause) {
    if (cause instanceof DualsyncError) throw cause;
    const why = (cause as NodeJS.ErrnoException).code ?? "it cannot be read";
    throw configurationError(
      `--ids names ${JSON.stringify(file)}, which cannot be read (${why}).`,
      "Give a file that lists documents as reports print them, one a line.",
    );
  }
}

/** Without any name all of the copy would be meant. @throws DualsyncError `usage` */
function documentLines(text: string, file: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const named = lines.filter((line) => line !== "");
  if (named.length > 0) return named;
  throw configurationError(
    `--ids names ${JSON.stringify(file)}, which lists nothing.`,
    "To restore everything, leave --ids out.",
  );
}

/** What the next command has anew, and how output looks. */
const LEFT_OUT: ReadonlySet<string> = new Set(["dryRun", "apply", "confirm", "json", "quiet", "verbose"]);

/** The same command with what is still needed; whoever shows it takes secrets out. */
function nextCommand(flags: RestoreFlags, targetName: string): string {
  const words = Object.entries(flags).flatMap(([name, value]) => {
    if (LEFT_OUT.has(name)) return [];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (name === "indexes") return value === false ? ["--no-indexes"] : [];
    if (value === true) return [flag];
    const values = Array.isArray(value) ? value : typeof value === "string" ? [value] : [];
    return values.map((one) => `${flag} ${shellWord(String(one))}`);
  });
  return ["dualsync restore", ...words, `--apply --confirm ${shellWord(targetName)}`].join(" ");
}
