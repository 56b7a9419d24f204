/** How an interrupted comparison is written down as JSON, and read again: every field is validated. */
import type { Side, Tier } from "../../../model/reporter.ts";
import {
  count,
  idFromJson,
  idToJson,
  type Json,
  list,
  object,
  rangeFromJson,
  rangeToJson,
  text,
} from "../../progress/saved-json.ts";
import type { DiffCandidate } from "../candidate.ts";
import type { SavedDiffProgress } from "./diff-progress.ts";
import { SCANNED, type Scanned } from "./diff-tally.ts";

export function progressToJson(progress: SavedDiffProgress): Json {
  return {
    name: progress.name,
    source: progress.uids.source,
    target: progress.uids.target,
    tier: progress.tier,
    remaining: progress.remaining.map(rangeToJson),
    scanned: progress.scanned,
    candidates: progress.candidates.map(candidateToJson),
  };
}

/** Throws when this is not what `progressToJson` makes. */
export function progressFromJson(content: unknown): SavedDiffProgress {
  const saved = object(content);
  const scanned = object(saved.scanned);
  return {
    name: text(saved.name),
    uids: { source: text(saved.source), target: text(saved.target) },
    tier: tierFromJson(saved.tier),
    remaining: list(saved.remaining).map((entry) => rangeFromJson(list(entry))),
    scanned: Object.fromEntries(SCANNED.map((name) => [name, count(scanned[name] ?? 0)])) as Scanned,
    candidates: list(saved.candidates).map((entry) => candidateFromJson(list(entry))),
  };
}

/** Those of which a part can be done. */
const TIERS: readonly Tier[] = ["bytes", "hashes", "source-hashes", "target-hashes", "records", "lookup"];

function tierFromJson(content: unknown): Tier {
  const tier = TIERS.find((one) => one === content);
  if (tier === undefined) throw new TypeError("tier");
  return tier;
}

function candidateToJson({ id, observation, rounds }: DiffCandidate): unknown[] {
  return [idToJson(id), rounds, sideToJson(observation.source), sideToJson(observation.target)];
}

function candidateFromJson([id, rounds, source, target]: readonly unknown[]): DiffCandidate {
  const observation = { source: sideFromJson(source), target: sideFromJson(target) };
  return { id: idFromJson(id), rounds: count(rounds), observation };
}

function sideToJson(side: Side | undefined): unknown {
  return side === undefined ? null : [side.sha256, side.bytes];
}

function sideFromJson(content: unknown): Side | undefined {
  if (content === null) return undefined;
  const [sha256, bytes] = list(content);
  return { sha256: text(sha256), bytes: count(bytes) };
}
