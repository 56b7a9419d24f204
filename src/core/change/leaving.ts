/** Documents that are to be removed from a store whose documents refer to each other: what refers to one must go, too, or it stays. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { References } from "../../connectors/powers/references.ts";
import type { DocumentId } from "../../model/document.ts";
import { chunksOf } from "../concurrency/chunks.ts";

/** Documents that are asked about at once. */
const CHUNK = { count: 500, bytes: 64_000 };

/** How often all are asked about: each time those stay to which one refers that was found to stay. */
const MOST_ROUNDS = 50;

/** Of collections that may refer to each other: the ids that are to be removed, by `DocumentId.key`. */
export type Leaving = Map<CollectionInfo, Map<string, DocumentId>>;

/** Why a document stays, by collection and `DocumentId.key`. */
export type Staying = Map<string, Map<string, string>>;

/** Takes out of `leaving` what documents refer to that are not among them. @returns these, and why they stay */
export async function takeOutReferred(
  references: References,
  leaving: Leaving,
  signal: AbortSignal,
): Promise<Staying> {
  const staying: Staying = new Map([...leaving.keys()].map(({ name }) => [name, new Map()]));
  for (const [{ name }, ids] of leaving) {
    const unknown = references.unknown(name);
    if (unknown !== undefined) keepAll(staying, name, ids, `it is not known what refers to it: ${unknown}`);
  }
  for (let round = 1; ; round++) {
    let isChanged = false;
    for (const [{ name }, ids] of leaving) {
      const found = await referredOf(references, name, leaving, signal);
      for (const [key, by] of found) {
        ids.delete(key);
        staying.get(name)?.set(key, `${by} refers to it`);
      }
      isChanged ||= found.size > 0;
    }
    if (!isChanged) return staying;
    if (round === MOST_ROUNDS) break;
  }
  for (const [{ name }, ids] of leaving)
    keepAll(staying, name, ids, "too many documents refer to each other in a row");
  return staying;
}

function keepAll(staying: Staying, name: string, ids: Map<string, DocumentId>, reason: string): void {
  for (const key of ids.keys()) staying.get(name)?.set(key, reason);
  ids.clear();
}

async function referredOf(
  references: References,
  name: string,
  leaving: Leaving,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map([...leaving].map(([collection, ids]) => [collection.name, new Set(ids.keys())]));
  const own = [...leaving].find(([collection]) => collection.name === name)?.[1] ?? new Map();
  const found = new Map<string, string>();
  for (const chunk of chunksOf([...own.values()], ({ element }) => element.length, CHUNK))
    for (const [key, by] of await references.referred(name, chunk, signal, keys)) found.set(key, by);
  return found;
}
