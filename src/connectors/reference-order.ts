import type { CollectionInfo } from "./collection.ts";

export interface ReferenceOrder<T> {
  /** What others refer to comes before them; within a circle as it was given. */
  readonly order: readonly T[];
  /** Circles, each of two collections or more: wherever one begins, some of its documents must wait for others. */
  readonly cycles: readonly (readonly T[])[];
}

/** In which order collections should be written, by `CollectionInfo.after`; names that are not among them do not count. */
export function inReferenceOrder<T extends Pick<CollectionInfo, "name" | "after">>(
  collections: readonly T[],
): ReferenceOrder<T> {
  const places = new Map(collections.map(({ name }, place) => [name, place]));
  const referred = collections.map(({ after = [] }) =>
    after.map((name) => places.get(name)).filter((place) => place !== undefined),
  );
  const referring: number[][] = collections.map(() => []);
  for (const [place, others] of referred.entries()) for (const other of others) referring[other]?.push(place);
  // Kosaraju's algorithm: circles are what is reached against the arrows, from whatever was left last along them.
  const seen = new Set<number>();
  const left = collections.flatMap((_, place) => walk(place, referred, seen));
  const taken = new Set<number>();
  const groups = left
    .reverse()
    .map((place) => walk(place, referring, taken).sort((a, b) => a - b))
    .filter((group) => group.length > 0)
    .reverse()
    .map((group) => group.map((place) => collections[place] as T));
  return { order: groups.flat(), cycles: groups.filter((group) => group.length > 1) };
}

/** What is reached from a place and was not seen before, each after what is reached from it; without recursion. */
function walk(start: number, edges: readonly (readonly number[])[], seen: Set<number>): number[] {
  if (seen.has(start)) return [];
  seen.add(start);
  const left: number[] = [];
  const path = [{ place: start, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = edges[top.place]?.[top.next++];
    if (next === undefined) left.push((path.pop() as typeof top).place);
    else if (!seen.has(next)) {
      seen.add(next);
      path.push({ place: next, next: 0 });
    }
  }
  return left;
}
