/** Which collections and documents a run is about: flags that copying and comparing have in common. */
import { serialize } from "bson";
import { parseFilters } from "../../config/selection/filters.ts";
import { checkGlobs, select, unmatched } from "../../config/selection/globs.ts";
import { parseRenames } from "../../config/selection/renames.ts";
import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import type { StoreWords } from "../../connectors/words.ts";
import type { Wanted } from "../../core/plan/plan.ts";
import { DualsyncError } from "../../model/errors.ts";
import { jobKey } from "../../state/job/job-key.ts";

export interface SelectionFlags {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: readonly string[];
  readonly filter?: readonly string[];
}

/** What is renamed without being asked for between two stores. */
export function usualRenames(from: Location, to: Location): Pick<Wanted, "usualRenames"> {
  const [{ usualRenames: theirs }, { usualRenames: ours }] = [connectorOf(from), connectorOf(to)];
  if (theirs !== undefined && ours === undefined) return { usualRenames: theirs };
  if (theirs === undefined && ours !== undefined)
    return { usualRenames: new Map([...ours].map(([name, copy]) => [copy, name])) };
  return {};
}

export interface Selected {
  readonly wanted: Wanted;
  /** Patterns of --include and --exclude that choose no collection of these names. */
  readonly unmatched: (names: readonly string[]) => readonly string[];
}

/** @throws DualsyncError `usage` */
export function readSelection(flags: SelectionFlags, excluded: readonly string[]): Selected {
  const { include = [], exclude = [] } = flags;
  checkGlobs(include, "--include");
  checkGlobs(exclude, "--exclude");
  const globs = { include, exclude: [...exclude, ...excluded] };
  return {
    wanted: {
      selects: (name) => select([name], globs).length > 0,
      renames: parseRenames(flags.rename ?? []),
      filters: parseFilters(flags.filter ?? []),
    },
    // Names from SYNC_EXCLUDED_COLLECTIONS may well be absent: the variable serves several databases.
    unmatched: (names) => unmatched(names, { include, exclude }),
  };
}

/** @throws DualsyncError `refused` when a pattern chooses nothing of these names; `stores` are those that have them */
export function assertMatches(
  { unmatched }: Pick<Selected, "unmatched">,
  names: readonly string[],
  stores: readonly { readonly words: StoreWords }[],
): void {
  const patterns = unmatched(names);
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
