import type {
  Connector,
  Location,
  PairCandidate,
  PairCommand,
  PairKind,
} from "../../connectors/connector.ts";
import { openable } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import { DualsyncError } from "../../model/errors.ts";

/** The kinds of pairs that a command takes: primaries whose copy is in a store of another kind come first. */
export function pairKinds(command: PairCommand): readonly PairKind[] {
  const kinds = [
    ...openable().flatMap(({ primary }) => (primary === undefined ? [] : [pairOf(primary)])),
    ...openable().flatMap(({ pairs = [] }) => pairs),
  ];
  return kinds.filter(({ commands }) => commands.includes(command));
}

function pairOf({ commands, variables, isSet, lacking, locate }: Primary): PairKind {
  const { copies } = copyStore();
  return {
    commands,
    variables: [...variables, [copies.variable]],
    ...(lacking !== undefined && { lacking }),
    find(environment) {
      if (environment.get(copies.variable) === undefined || !isSet(environment)) return undefined;
      const { location, warnings } = locate(environment);
      return { primary: location, copy: copies.locate(environment), derived: false, warnings };
    },
  };
}

/** The kind of store that holds the copies of primaries of other kinds. */
export function copyStore(): { readonly kind: string; readonly copies: Copies } {
  for (const { kind, copies } of openable()) if (copies !== undefined) return { kind, copies };
  throw new DualsyncError("bug", "No connector takes copies of other kinds of stores.");
}

type Copies = NonNullable<Connector["copies"]>;
type Primary = NonNullable<Connector["primary"]>;

/**
 * All pairs of the environment that the command could mean. Only the variables of those pairs are looked at. Fails with
 * `usage` when one of these is set and cannot be right.
 */
export function candidatesFor(command: PairCommand, environment: Environment): PairCandidate[] {
  const found: PairCandidate[] = [];
  for (const kind of pairKinds(command)) {
    // Where that store is the copy of another one, a copy of it beside it would protect nothing.
    const isCopy = isAlone(kind) && primaryBeside(environment) !== undefined;
    const candidate = isCopy ? undefined : kind.find(environment, found);
    if (candidate !== undefined) found.push(candidate);
  }
  return found;
}

function isAlone({ variables }: PairKind): boolean {
  return variables.length === 1 && variables[0]?.[0] === copyStore().copies.variable;
}

/** The primary of another kind that is set in the environment. */
function primaryBeside(environment: Environment): Primary | undefined {
  return openable()
    .map(({ primary }) => primary)
    .find((primary) => primary?.isSet(environment) === true);
}

/** Why the store of copies alone is no pair for `duplicate` here, as an error; undefined when that is not the reason. */
export function copyOfCopy(command: PairCommand, environment: Environment): Error | undefined {
  const { kind, copies } = copyStore();
  const { variable, form } = copies;
  if (command !== "duplicate" || environment.get(variable) === undefined) return undefined;
  const primary = primaryBeside(environment);
  if (primary === undefined) return undefined;
  return configurationError(
    `The store of ${variable} is the copy of the ${primary.name} store in the same environment; a copy of the copy on the same server would protect nothing.`,
    `To bring the copy up to date run dualsync ${primary.copiedBy}; to copy it elsewhere run dualsync duplicate --from ${kind} --to ${form}.`,
  );
}

/**
 * All stores of the pairs that the environment names, each once. Fails with `usage` when a variable of a pair is set
 * and cannot be right.
 */
export function namedStores(environment: Environment): readonly Location[] {
  const stores = candidatesFor("diff", environment).flatMap(({ primary, copy }) => [copy, primary]);
  return stores.filter((store, at) => stores.findIndex(({ label }) => label === store.label) === at);
}
