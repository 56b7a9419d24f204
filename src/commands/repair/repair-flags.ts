/** What the flags and the surroundings of `repair` mean: everything is checked here, nothing is contacted. */
import { resolve } from "node:path";
import { secretsOf } from "../../config/pairs/location.ts";
import { resolvePair } from "../../config/pairs/pairs.ts";
import { readSettings } from "../../config/settings/settings.ts";
import { assertServed } from "../../connectors/registry.ts";
import type { Environment } from "../../model/environment.ts";
import type { PreparedRun } from "../command.ts";
import { assertRepairable } from "../run/copy-layout.ts";
import type { RepairOptions } from "./repair-options.ts";

export interface RepairFlags {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly delete?: boolean | undefined;
  readonly allowShrink?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** @throws DualsyncError `usage` or `refused` when the run must not begin */
export function prepareRepair(
  [name = ""]: readonly string[],
  flags: RepairFlags,
  environment: Environment,
): PreparedRun {
  const { maxRetries } = readSettings({ environment, flags: {} });
  const pair = resolvePair("diff", { from: flags.from, to: flags.to, environment });
  assertRepairable({ from: pair.source, to: pair.target }, "repair");
  assertServed("repair", pair.source, "source");
  assertServed("repair", pair.target, "target");
  const options: RepairOptions = {
    from: pair.source,
    to: pair.target,
    retries: maxRetries,
    name,
    path: resolve(environment.cwd, name),
    delete: flags.delete ?? false,
    allowShrink: flags.allowShrink ?? false,
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
    cwd: environment.cwd,
  };
  return {
    warnings: pair.warnings,
    secrets: [...secretsOf(pair.source), ...secretsOf(pair.target)],
    async work(context) {
      const { repair } = await import("./repair.ts");
      return await repair(options, context);
    },
  };
}
