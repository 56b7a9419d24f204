/** What the flags and the surroundings of `undo` mean: the journal's head is read, nothing is contacted. */

import { parseLocation, secretsOf } from "../../config/pairs/location.ts";
import { namedStores } from "../../config/pairs/pair-candidates.ts";
import { readSettings } from "../../config/settings/settings.ts";
import type { Location } from "../../connectors/connector.ts";
import { assertServed } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { DualsyncError } from "../../model/errors.ts";
import { isRunId, type UndoHead } from "../../state/undo/undo-format.ts";
import { UndoReader } from "../../state/undo/undo-reader.ts";
import type { PreparedRun } from "../command.ts";

export interface UndoFlags {
  readonly to?: string | undefined;
  readonly list?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** @throws DualsyncError `usage`, `refused`, or `local` for a journal that cannot be read */
export async function prepareUndo(
  flags: UndoFlags,
  environment: Environment,
  args: readonly string[],
): Promise<PreparedRun> {
  const { cwd } = environment;
  if (flags.list === true) return prepareList(cwd, flags, args);
  const run = runOf(args);
  const head = await new UndoReader(cwd, run).head();
  if (head === undefined) throw unknownRun(run);
  const { location, warnings } = targetOf(head, flags.to, environment);
  assertServed("undo", location, "target");
  const { maxRetries } = readSettings({ environment, flags: {} });
  const options = {
    cwd,
    head,
    to: location,
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
    retries: maxRetries,
  };
  return {
    warnings,
    secrets: secretsOf(location),
    async work(context) {
      const { undoRun } = await import("./undo.ts");
      return await undoRun(options, context);
    },
  };
}

function prepareList(cwd: string, flags: UndoFlags, args: readonly string[]): PreparedRun {
  if (args.length > 0 || flags.to !== undefined) {
    throw configurationError("--list takes no run and no --to.", "It lists all runs that can be undone.");
  }
  return {
    warnings: [],
    secrets: [],
    async work(context) {
      const { listUndo } = await import("./undo-list.ts");
      return await listUndo(cwd, context);
    },
  };
}

function runOf([run]: readonly string[]): string {
  if (run !== undefined && isRunId(run)) return run;
  throw configurationError(
    run === undefined
      ? "undo needs the id of a run."
      : "The id of a run is 8 digits and letters from a to f.",
    "A run prints its id at the end; dualsync undo --list shows all.",
  );
}

function unknownRun(run: string): DualsyncError {
  return configurationError(
    `Run ${run} has no journal in .dualsync: there is nothing to undo.`,
    "Run undo in the folder where the run was started; dualsync undo --list shows what is there. A run that replaced and removed nothing leaves no journal.",
  );
}

/** The store that the run wrote to, and no other. */
function targetOf(
  head: UndoHead,
  to: string | undefined,
  environment: Environment,
): { readonly location: Location; readonly warnings: readonly string[] } {
  if (to !== undefined) {
    const given = parseLocation(to, "--to", environment);
    if (given.location.label === head.target) return given;
    throw new DualsyncError(
      "refused",
      `Run ${head.run} wrote to ${head.target}, but --to is ${given.location.label}.`,
      { hint: "Nothing was contacted or changed. Give the same address as for that run." },
    );
  }
  const location = namedStores(environment).find(({ label }) => label === head.target);
  if (location !== undefined) return { location, warnings: [] };
  throw configurationError(
    `Run ${head.run} wrote to ${head.target}, which no pair of the environment names.`,
    "Name it with --to, as for that run.",
  );
}
