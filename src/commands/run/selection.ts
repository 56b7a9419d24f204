/** Which collections and documents a run is about: flags that copying and comparing have in common. */
import { serialize } from "bson";
import { parseFilters } from "../../config/selection/filters.ts";
import { checkGlobs, select, unmatched } from "../../config/selection/globs.ts";
import { parseRenames } from "../../config/selection/renames.ts";
import type { StoreAddress } from "../../connectors/registry.ts";
import type { Wanted } from "../../core/plan/plan.ts";
import { DualsyncError } from "../../model/errors.ts";
import { jobKey } from "../../state/job/job-key.ts";

export interface SelectionFlags {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: readonly string[];
  readonly filter?: readonly string[];
}

/** Names that applications give to the collections of these tables: mongoose makes a plural of a model's name. */
const USUAL_RENAMES: ReadonlyMap<string, string> = new Map([["shop", "shops"]]);

/** What is renamed without being asked for between a project's tables and a database. */
export function usualRenames(from: StoreAddress, to: StoreAddress): Pick<Wanted, "usualRenames"> {
  if (from.kind === "supabase" && to.kind === "mongodb") return { usualRenames: USUAL_RENAMES };
  if (from.kind === "mongodb" && to.kind === "supabase")
    return { usualRenames: new Map([...USUAL_RENAMES].map(([table, name]) => [name, table])) };
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

const NEW_TABLE =
  " A table that is new, or not granted to service_role, is not listed: run in the SQL editor: notify pgrst, 'reload schema';";

/** @throws DualsyncError `refused` when a pattern chooses nothing of these names; `tables`: they may be tables' */
export function assertMatches(
  { unmatched }: Pick<Selected, "unmatched">,
  names: readonly string[],
  tables: boolean,
): void {
  const patterns = unmatched(names);
  if (patterns.length === 0) return;
  throw new DualsyncError(
    "refused",
    `No collection of the source matches ${patterns.map((pattern) => JSON.stringify(pattern)).join(", ")}.`,
    {
      hint: `Nothing was changed. Check --include, --exclude and SYNC_EXCLUDED_COLLECTIONS.${tables ? NEW_TABLE : ""}`,
    },
  );
}

/** What makes this job the same as an earlier one; how it is done does not count. */
export function keyOf(
  command: string,
  source: StoreAddress,
  target: StoreAddress,
  { filters, renames }: Wanted,
): string {
  const canonical = new Map(
    [...filters].map(([name, filter]) => [name, Buffer.from(serialize(filter)).toString("hex")]),
  );
  return jobKey({ command, source, target, filters: canonical, renames });
}
