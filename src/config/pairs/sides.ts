import type { Location } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { parseLocation } from "./location.ts";
import { copyStore } from "./pair-candidates.ts";
import type { PairOptions } from "./pairs.ts";

/** A primary and the store of its copies, where one of them may not be named anywhere. */
export interface NamedSides {
  readonly primary: Location | undefined;
  readonly copy: Location | undefined;
  readonly warnings: readonly string[];
}

/**
 * Both stores as arguments or the environment name them, for whoever can work with one of them, too. `kind` is the primary's. Fails with
 * `usage` when both arguments name stores on one side, and when an address cannot be right.
 */
export function sidesOf(kind: string, { from, to, environment }: PairOptions): NamedSides {
  const given = [
    ...(from === undefined ? [] : [parseLocation(from, "--from", environment)]),
    ...(to === undefined ? [] : [parseLocation(to, "--to", environment)]),
  ];
  const primaries = given.filter(({ location }) => location.kind === kind);
  const copies = given.filter(({ location }) => location.kind !== kind);
  if (primaries.length > 1 || copies.length > 1)
    throw configurationError(
      `--from and --to both name ${connectorOf((given[0] as (typeof given)[number]).location).words.store}.`,
      "Leave one of them out, or name a store of the other kind.",
    );
  const { primary } = connectorOf({ kind });
  const located = primaries[0] ?? (primary?.isSet(environment) ? primary.locate(environment) : undefined);
  const { variable, locate } = copyStore().copies;
  const isSet = environment.get(variable) !== undefined;
  return {
    primary: located?.location,
    copy: copies[0]?.location ?? (isSet ? locate(environment) : undefined),
    warnings: [...new Set([located, ...copies].flatMap((one) => one?.warnings ?? []))],
  };
}
