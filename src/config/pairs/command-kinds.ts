import type { Location } from "./location.ts";

export type PairCommand = "duplicate" | "backfill" | "diff" | "restore" | "sync-kv";
export type LocationKind = Location["kind"];

interface Kinds {
  readonly source: readonly LocationKind[];
  readonly target: readonly LocationKind[];
  /** In words that follow the command's name. */
  readonly does: string;
}

const ANY: readonly LocationKind[] = ["mongodb", "supabase", "kv", "file"];

/** What each command can read from and write to. */
const KINDS: Readonly<Record<PairCommand, Kinds>> = {
  duplicate: { source: ["mongodb"], target: ["mongodb"], does: "copies MongoDB to MongoDB" },
  backfill: { source: ["supabase"], target: ["mongodb"], does: "copies Supabase to MongoDB" },
  "sync-kv": { source: ["kv", "mongodb"], target: ["kv", "mongodb"], does: "copies between KV and MongoDB" },
  diff: { source: ANY, target: ANY, does: "compares any two stores" },
  restore: {
    source: ["mongodb", "file"],
    target: ["mongodb", "supabase", "kv"],
    does: "copies a MongoDB copy or an archive back",
  },
};

/** How messages name a kind of location. */
export const KIND_NAMES: Readonly<Record<LocationKind, string>> = {
  mongodb: "a MongoDB",
  supabase: "a Supabase project",
  kv: "a KV store",
  file: "an archive",
};

/** Why the command cannot work from this source to this target, as a sentence; or undefined. */
export function kindProblem(
  command: PairCommand,
  source: LocationKind,
  target: LocationKind,
): string | undefined {
  const kinds = KINDS[command];
  const fits = kinds.source.includes(source) && kinds.target.includes(target);
  if (fits && (command !== "sync-kv" || source !== target)) return undefined;
  return `${command} ${kinds.does}, but its source is ${KIND_NAMES[source]} and its target ${KIND_NAMES[target]}.`;
}
