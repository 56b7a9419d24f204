/** What the flags and the surroundings of `diff` mean: everything is checked here, nothing is contacted. */
import { resolve } from "node:path";
import { secretsOf } from "../../config/pairs/location.ts";
import { resolvePair } from "../../config/pairs/pairs.ts";
import { readSettings } from "../../config/settings/settings.ts";
import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { StateFile } from "../../state/job/state-file.ts";
import type { PreparedRun } from "../command.ts";
import { assertRepairable } from "../run/copy-layout.ts";
import { keyOf, readSelection, type SelectionFlags } from "../run/selection.ts";
import { minutes } from "../run/time-limit.ts";
import type { DiffOptions, NamedFile } from "./diff-options.ts";

/** Seconds before each further look at what differs, where nothing else is said. */
const DELAYS = [1, 5, 30];

/** As the command line gives them: texts are not checked yet. */
export interface DiffFlags extends SelectionFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly indexes: boolean;
  readonly oneWay?: boolean | undefined;
  readonly ignoreFieldOrder?: boolean | undefined;
  readonly accept?: readonly string[] | undefined;
  readonly settle?: string | undefined;
  readonly maxDiffs?: string | undefined;
  readonly maxMinutes?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly values?: boolean | undefined;
  readonly plan?: string | undefined;
  readonly report?: string | undefined;
}

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export async function prepareDiff(flags: DiffFlags, environment: Environment): Promise<PreparedRun> {
  const settings = readSettings({
    environment,
    flags: { batchSize: undefined, concurrency: flags.concurrency },
  });
  const pair = resolvePair("diff", { from: flags.from, to: flags.to, environment });
  const { source: from, target: to } = pair;
  const selected = await readSelection(flags, settings.excluded, from, to);
  assertSuitable(flags, from, to);
  const options: DiffOptions = {
    from,
    to,
    ...selected,
    selective: [flags.include, flags.exclude, flags.filter, settings.excluded].some(
      (list) => (list ?? []).length > 0,
    ),
    concurrency: settings.concurrency,
    retries: settings.maxRetries,
    indexes: flags.indexes,
    oneWay: flags.oneWay ?? false,
    ignoreFieldOrder: flags.ignoreFieldOrder ?? false,
    values: flags.values ?? false,
    delays: delaysOf(flags.settle),
    accept: flags.accept ?? [],
    ...limitsOf(flags),
    ...filesOf(flags, environment),
    restart: flags.restart ?? false,
    state: new StateFile(environment.cwd, keyOf("diff", from, to, selected.wanted)),
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(pair.source), ...secretsOf(pair.target)],
    async work(context) {
      const { diff } = await import("./diff.ts");
      return await diff(options, context);
    },
  };
}

/** @throws DualsyncError `usage` for flags that mean nothing between these stores */
function assertSuitable({ plan }: DiffFlags, from: Location, to: Location): void {
  if (plan !== undefined) assertRepairable({ from, to }, "--plan");
  const target = connectorOf(to);
  if (plan !== undefined && target.serves.repair?.includes("target") !== true) {
    throw configurationError(
      `--plan writes a file for repair, which cannot write to ${target.words.store}.`,
      `Leave it out, or compare the other way round: --from ${to.kind} --to ${from.kind}.`,
    );
  }
}

function filesOf({ plan, report }: DiffFlags, environment: Environment) {
  const files = {
    plan: plan === undefined ? undefined : fileOf(plan, environment),
    report: report === undefined ? undefined : fileOf(report, environment),
  };
  if (files.plan === undefined || files.plan.path !== files.report?.path) return files;
  throw configurationError(
    "--plan and --report name the same file.",
    "Give one of them another name: the report would overwrite the plan.",
  );
}

function fileOf(name: string, { cwd }: Environment): NamedFile {
  return { name, path: resolve(cwd, name) };
}

function limitsOf({ maxDiffs, maxMinutes }: DiffFlags) {
  return {
    maxDiffs: maxDiffs === undefined ? undefined : differences(maxDiffs),
    maxMinutes: maxMinutes === undefined ? undefined : minutes(maxMinutes),
  };
}

function differences(text: string): number {
  const value = /^\d{1,12}$/.test(text.trim()) ? Number(text) : 0;
  if (value > 0) return value;
  throw configurationError(
    "--max-diffs must be a whole number above 0, such as 100.",
    "Correct it and run again.",
  );
}

/** The looks are spread over the time that is given, the first soon, the last late; two looks there always are. */
function delaysOf(settle: string | undefined): number[] {
  const sum = DELAYS.reduce((total, delay) => total + delay, 0);
  if (settle === undefined) return DELAYS.map((delay) => delay * 1_000);
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(settle.trim()) ? Number(settle) : Number.NaN;
  if (seconds >= 0 && seconds <= 86_400)
    return DELAYS.map((delay) => Math.round((delay * 1_000 * seconds) / sum));
  throw configurationError(
    "--settle must be a number of seconds from 0 to 86400, such as 10.",
    "Correct it and run again.",
  );
}
