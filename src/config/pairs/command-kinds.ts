import type { Connector, Location, PairCommand, StoreRole } from "../../connectors/connector.ts";
import { connectorOf, openable } from "../../connectors/registry.ts";
import { listed } from "../../model/configuration-error.ts";

/** Commands whose two stores are never of one kind. */
const OF_TWO_KINDS: ReadonlySet<PairCommand> = new Set(["sync-kv"]);

/** Why the command cannot work from this source to this target, as a sentence; or undefined. */
export function kindProblem(command: PairCommand, source: Location, target: Location): string | undefined {
  const [from, to] = [connectorOf(source), connectorOf(target)];
  const takes = (connector: Connector, role: StoreRole): boolean =>
    connector.serves[command]?.includes(role) === true;
  const fits =
    (takes(from, "source") || (command === "duplicate" && to.keepsAll === true && from !== to)) &&
    takes(to, "target");
  const misplaced = fits ? misplacedCopy(from, to) : undefined;
  if (misplaced !== undefined) return misplaced;
  if (fits && !(OF_TWO_KINDS.has(command) && source.kind === target.kind)) return undefined;
  if (fits)
    return `${command} copies between stores of two kinds, but its source and its target are both ${from.words.store}.`;
  return `${command} ${does(command)}, but its source is ${from.words.store} and its target ${to.words.store}.`;
}

/** In words that follow its name. */
function does(command: PairCommand): string {
  const [sources, targets] = [able(command, "source"), able(command, "target")];
  return command === "diff" ? `compares ${sources} with ${targets}` : `copies ${sources} to ${targets}`;
}

/** What such a command takes. */
function able(command: PairCommand, role: StoreRole): string {
  const stores = openable().filter(({ serves }) => serves[command]?.includes(role) === true);
  return listed(
    stores.map(({ words }) => words.store),
    "or",
  );
}

/** The copy of a store that has layouts for it is in a store that holds copies of other kinds, and nowhere else. */
function misplacedCopy(source: Connector, target: Connector): string | undefined {
  if (source.keepsAll === true || target.keepsAll === true) return undefined;
  const primary = [source, target].find(({ layouts }) => layouts !== undefined);
  const other = [source, target].find(({ layouts, copies }) => (layouts ?? copies) === undefined);
  if (primary === undefined || other === undefined) return undefined;
  const holders = openable().filter(({ copies }) => copies !== undefined);
  return `The copy of ${primary.words.store} is in ${listed(
    holders.map(({ words }) => words.store),
    "or",
  )}, and the other side is ${other.words.store}.`;
}
