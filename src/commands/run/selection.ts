/** Which collections and documents a run is about: flags that copying and comparing have in common. */
import { serialize } from "bson";
import { checkGlobs, select, unmatched } from "../../config/selection/globs.ts";
import { parseRenames } from "../../config/selection/renames.ts";
import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import type { StoreWords } from "../../connectors/words.ts";
import type { Wanted } from "../../core/plan/plan.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { DualsyncError } from "../../model/errors.ts";
import { jobKey } from "../../state/job/job-key.ts";

export interface SelectionFlags {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly rename?: readonly string[] | undefined;
  readonly filter?: readonly string[] | undefined;
}

/** What is renamed without being asked for between two stores. */
function usualRenames(from: Location, to: Location): Pick<Wanted, "usualRenames"> {
  const [{ usualRenames: theirs }, { usualRenames: ours }] = [connectorOf(from), connectorOf(to)];
  if (theirs !== undefined && ours === undefined) return { usualRenames: theirs };
  if (theirs === undefined && ours !== undefined)
    return { usualRenames: new Map([...ours].map(([name, copy]) => [copy, name])) };
  return {};
}

export interface SelectableNames {
  /** Of what can be chosen. */
  readonly include: readonly string[];
  /** Of everything that a run names: what cannot be chosen can be left out all the same. */
  readonly exclude: readonly string[];
}

export interface Selected {
  readonly wanted: Wanted;
  /** Patterns of --include and --exclude that match none of their names. */
  readonly unmatched: (names: SelectableNames) => readonly string[];
}

/** @throws DualsyncError `usage` for flags that are malformed, or that mean nothing between these stores */
export async function readSelection(
  flags: SelectionFlags,
  excluded: readonly string[],
  from: Location,
  to: Location,
): Promise<Selected> {
  const { include = [], exclude = [], filter = [] } = flags;
  checkGlobs(include, "--include");
  checkGlobs(exclude, "--exclude");
  const filters = await readFilters(filter, from, to);
  const globs = { include, exclude: [...exclude, ...excluded] };
  return {
    wanted: {
      selects: (name) => select([name], globs).length > 0,
      excludes: (name) => select([name], { include: [], exclude: globs.exclude }).length === 0,
      renames: parseRenames(flags.rename ?? [], connectorOf(to).nameProblem),
      filters,
      ...usualRenames(from, to),
    },
    // Names from SYNC_EXCLUDED_COLLECTIONS may well be absent: the variable serves several databases.
    unmatched: (names) => [
      ...unmatched(names.include, { include, exclude: [] }),
      ...unmatched(names.exclude, { include: [], exclude }),
    ],
  };
}

async function readFilters(
  values: readonly string[],
  from: Location,
  to: Location,
): Promise<Wanted["filters"]> {
  if (values.length === 0) return new Map();
  const connectors = [connectorOf(from), connectorOf(to)];
  const without = connectors.find((one) => one.readFilters === undefined);
  if (without !== undefined) {
    throw configurationError(
      `--filter cannot be used where one side is ${without.words.store}.`,
      `Leave it out; --include and --exclude choose ${without.words.collections}.`,
    );
  }
  return (await connectorOf(from).readFilters?.(values)) ?? new Map();
}

/** @throws DualsyncError `refused` when a pattern matches none of its names; `stores` are those that have them */
export function assertMatches(
  { unmatched }: Pick<Selected, "unmatched">,
  names: SelectableNames,
  stores: readonly { readonly words: StoreWords }[],
): void {
  const patterns = [...new Set(unmatched(names))];
  if (patterns.length === 0) return;
  const unlisted = [...new Set(stores.map(({ words }) => words.hidden?.unlisted))];
  const hints = [
    "Nothing was changed. Check --include, --exclude and SYNC_EXCLUDED_COLLECTIONS.",
    ...unlisted.filter((hint) => hint !== undefined),
  ];
  throw new DualsyncError(
    "refused",
    `No collection of the source matches ${patterns.map((pattern) => JSON.stringify(pattern)).join(", ")}.`,
    { hint: hints.join(" ") },
  );
}

/** What makes this job the same as an earlier one; how it is done does not count. */
export function keyOf(command: string, from: Location, to: Location, { filters, renames }: Wanted): string {
  const canonical = new Map(
    [...filters].map(([name, filter]) => [name, Buffer.from(serialize(filter)).toString("hex")]),
  );
  const [source, target] = [connectorOf(from).place(from), connectorOf(to).place(to)];
  return jobKey({ command, source, target, filters: canonical, renames });
}
