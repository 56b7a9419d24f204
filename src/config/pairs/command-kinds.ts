import type { Location, PairCommand } from "../../connectors/connector.ts";
import { connectorOf } from "../../connectors/registry.ts";

/** What each command does, in words that follow its name. */
const DOES: Readonly<Record<PairCommand, string>> = {
  duplicate: "copies MongoDB to MongoDB",
  backfill: "copies Supabase to MongoDB",
  "sync-kv": "copies between KV and MongoDB",
  diff: "compares any two stores",
  restore: "copies a MongoDB copy or an archive back",
};

/** Why the command cannot work from this source to this target, as a sentence; or undefined. */
export function kindProblem(command: PairCommand, source: Location, target: Location): string | undefined {
  const [from, to] = [connectorOf(source), connectorOf(target)];
  const fits =
    from.serves[command]?.includes("source") === true && to.serves[command]?.includes("target") === true;
  if (fits && (command !== "sync-kv" || source.kind !== target.kind)) return undefined;
  return `${command} ${DOES[command]}, but its source is ${from.words.store} and its target ${to.words.store}.`;
}
