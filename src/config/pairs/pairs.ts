import type {
  Location,
  PairCandidate,
  PairCommand,
  ParsedLocation,
  StoreRole,
} from "../../connectors/connector.ts";
import { connectorOf, openable } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { DualsyncError } from "../../model/errors.ts";
import { kindProblem } from "./command-kinds.ts";
import { isSameStore, parseLocation } from "./location.ts";
import { candidatesFor, copyOfCopy } from "./pair-candidates.ts";
import { noPair, otherSideOpen, severalPairs } from "./unresolved.ts";

export interface PairOptions {
  /** Values of `--from` and `--to`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly environment: Environment;
}

/** Two different stores, by their addresses; only the servers know whether two names lead to one server. */
export interface StorePair {
  readonly source: Location;
  readonly target: Location;
  readonly warnings: readonly string[];
}

interface PairSide {
  readonly location: Location;
  readonly warnings: readonly string[];
}

/**
 * Which store a command reads and which it writes. What `--from` and `--to` leave open comes from the one pair that the
 * environment names; `restore` goes from the copy to the primary, every other command the other way. Fails with `usage`
 * when no pair or several remain, and with `refused` when both sides are one store.
 */
export function resolvePair(command: PairCommand, options: PairOptions): StorePair {
  const { environment } = options;
  const from = options.from === undefined ? undefined : parseLocation(options.from, "--from", environment);
  const to = options.to === undefined ? undefined : parseLocation(options.to, "--to", environment);
  const source = from ?? (to === undefined ? undefined : otherSide(command, "source", to, environment));
  const target = to ?? (from === undefined ? undefined : otherSide(command, "target", from, environment));
  if (source === undefined || target === undefined) {
    const candidate = onlyCandidate(command, environment);
    return checked(command, sideOf(command, candidate, "source"), sideOf(command, candidate, "target"));
  }
  return checked(command, source, target);
}

function onlyCandidate(command: PairCommand, environment: Environment): PairCandidate {
  const candidates = candidatesFor(command, environment);
  const [only] = candidates;
  if (only === undefined) throw copyOfCopy(command, environment) ?? noPair(command, environment);
  if (candidates.length > 1) throw severalPairs(command, candidates);
  return only;
}

/** The side that was not given. A pair whose other side is what was given comes before all others. */
function otherSide(
  command: PairCommand,
  side: StoreRole,
  given: ParsedLocation,
  environment: Environment,
): PairSide {
  const opposite = side === "source" ? "target" : "source";
  const keepsAll = connectorOf(given.location).keepsAll === true;
  // Into an archive goes what the copies of every kind are made from.
  const all = candidatesFor(keepsAll && command === "duplicate" ? "diff" : command, environment);
  const matching = all.filter((candidate) =>
    isSameStore(sideOf(command, candidate, opposite).location, given.location),
  );
  const usable =
    matching.length > 0 ? matching : all.filter((candidate) => !isForeignBackup(command, candidate, side));
  const sides = [
    ...usable.map((candidate) => sideOf(command, candidate, side)),
    ...(all.length > 0 ? [] : alone(command, side, keepsAll, environment)),
  ];
  const distinct = sides.filter(
    (one, index) =>
      !isSameStore(one.location, given.location) &&
      sides.findIndex((other) => isSameStore(other.location, one.location)) === index,
  );
  const [only] = distinct;
  if (only === undefined || distinct.length > 1) {
    throw otherSideOpen(
      command,
      side,
      distinct.map(({ location }) => location),
    );
  }
  return only;
}

/** A made-up `_backup` belongs to its own primary: no other store is written there. Comparing with it does no harm. */
function isForeignBackup(command: PairCommand, candidate: PairCandidate, side: StoreRole): boolean {
  return (
    command !== "diff" &&
    candidate.derived &&
    side === "target" &&
    sideOf(command, candidate, side).location === candidate.copy
  );
}

/**
 * The one store that a command always reads, or that an archive is made from or restored to, when it is set without the store of its
 * copies beside it.
 */
function alone(
  command: PairCommand,
  side: StoreRole,
  keepsAll: boolean,
  environment: Environment,
): PairSide[] {
  if (side !== "source" && !keepsAll) return [];
  return openable().flatMap(({ primary }) =>
    primary !== undefined && (keepsAll || primary.copiedBy === command) && primary.isSet(environment)
      ? [primary.locate(environment)]
      : [],
  );
}

function sideOf(command: PairCommand, candidate: PairCandidate, side: StoreRole): PairSide {
  const reversed = command === "restore";
  const location = (side === "source") === reversed ? candidate.copy : candidate.primary;
  return { location, warnings: location === candidate.primary ? candidate.warnings : [] };
}

function checked(command: PairCommand, source: PairSide, target: PairSide): StorePair {
  const problem = kindProblem(command, source.location, target.location);
  if (problem !== undefined)
    throw configurationError(problem, `See dualsync ${command} --help for what it can copy.`);
  if (isSameStore(source.location, target.location)) {
    throw new DualsyncError(
      "refused",
      `Source and target are the same store, ${source.location.label}. Nothing was contacted or changed.`,
      {
        hint: "Check --from, --to and the variables they come from: the two must differ in host or database.",
      },
    );
  }
  return {
    source: source.location,
    target: target.location,
    warnings: [...new Set([...source.warnings, ...target.warnings])],
  };
}
