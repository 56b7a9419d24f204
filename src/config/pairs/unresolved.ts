import type { Location, PairCandidate, PairCommand } from "../../connectors/connector.ts";
import { configurationError, listed } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { copyStore, pairKinds } from "./pair-candidates.ts";

/** The environment names no pair for this command: says what to set, and what a half-set pair still lacks. */
export function noPair(command: PairCommand, environment: Environment): Error {
  const reasons = [halfSet(command, environment), lacking(command, environment)];
  const why = reasons.flatMap((reason) => (reason === undefined ? [] : [`; ${reason}`])).join("");
  const needs = pairKinds(command).map(({ variables }) =>
    listed(variables.map(([name]) => environment.nameOf?.(name) ?? name)),
  );
  const { variable, example } = copyStore().copies;
  return configurationError(
    `${command} found no pair of stores in the environment, .env.local or .env${why}.`,
    `Set ${needs.join("; or ")} (for example ${variable}=${example}), or write --from and --to.`,
  );
}

function lacking(command: PairCommand, environment: Environment): string | undefined {
  return pairKinds(command)
    .map((kind) => kind.lacking?.(environment))
    .find((clause) => clause !== undefined);
}

function halfSet(command: PairCommand, environment: Environment): string | undefined {
  const named = (name: string): string => environment.nameOf?.(name) ?? name;
  for (const { variables } of pairKinds(command)) {
    const parts = variables.map((names) => ({
      names,
      set: names.find((name) => environment.get(name) !== undefined),
    }));
    const present = parts.find(({ set }) => set !== undefined)?.set;
    const missing = parts.flatMap(({ names, set }) => (set === undefined ? [names[0]] : []));
    if (present !== undefined && missing.length > 0)
      return `${named(present)} is set, but ${listed(missing.map(named))} ${missing.length > 1 ? "are" : "is"} not`;
  }
  return undefined;
}

/** The environment names several pairs: gives the exact command line for each, without an address in it. */
export function severalPairs(command: PairCommand, candidates: readonly PairCandidate[]): Error {
  const lines = candidates.map((candidate) => `dualsync ${command} ${flagsOf(command, candidate)}`);
  return configurationError(
    `${command} found ${candidates.length} pairs of stores in the environment and does not choose between them.`,
    `Run one of these: ${lines.join("  or  ")}`,
  );
}

/** One of `--from` and `--to` was given, and the environment leaves the other one open. */
export function otherSideOpen(
  command: PairCommand,
  side: "source" | "target",
  choices: readonly Location[],
): Error {
  const [missing, present] = side === "source" ? ["--from", "--to"] : ["--to", "--from"];
  const references = choices.flatMap(({ reference }) => reference ?? []);
  const example =
    references.length > 0
      ? listed(
          references.map((reference) => `${missing} ${reference}`),
          "or",
        )
      : `${missing} ${copyStore().copies.form}`;
  return configurationError(
    `${command} has ${present} without ${missing}, and the environment names ${choices.length === 0 ? "no" : "more than one"} store for that side.`,
    `Write ${missing} too: ${example}.`,
  );
}

function flagsOf(command: PairCommand, candidate: PairCandidate): string {
  const [from, to] =
    command === "restore" ? [candidate.copy, candidate.primary] : [candidate.primary, candidate.copy];
  return [...flag("--from", from), ...flag("--to", to)].join(" ");
}

/** A store that no argument names follows from the other one, so its flag is left out. */
function flag(name: string, location: Location): string[] {
  return location.reference === undefined ? [] : [`${name} ${location.reference}`];
}
