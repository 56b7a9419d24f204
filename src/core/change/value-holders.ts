/** Which documents stand in which others' way: those that hold unique values which the others should have. */
import type { UniqueValue } from "../../connectors/powers/unique-values.ts";
import type { DocumentId } from "../../model/document.ts";

/** A document that should be changed. */
export interface ValueHolder {
  readonly id: DocumentId;
  /** Its unique values in the target. */
  readonly holds: readonly UniqueValue[];
  /** Those that it should have. */
  readonly claims: readonly UniqueValue[];
  /** Bytes of both documents. */
  readonly bytes: number;
}

/** Whether any document of the target holds a value. */
type HolderOf = (value: UniqueValue) => Promise<DocumentId | undefined>;

/** The documents that hold what each of them should have, itself not among them. */
type Rivals = ReadonlyMap<ValueHolder, readonly ValueHolder[]>;

function rivalsOf(holders: readonly ValueHolder[]): Rivals {
  const byValue = ownersOf(holders);
  return new Map(
    holders.map((one) => {
      const rivals = new Set(one.claims.map(({ key }) => byValue.get(key)));
      rivals.delete(one);
      return [one, [...rivals].filter((rival) => rival !== undefined)] as const;
    }),
  );
}

function ownersOf(holders: readonly ValueHolder[]): ReadonlyMap<string, ValueHolder> {
  return new Map(holders.flatMap((one) => one.holds.map(({ key }) => [key, one] as const)));
}

/** Each after those that must give up a value for it, as far as there is such an order. */
export function freeFirst(holders: readonly ValueHolder[]): readonly DocumentId[] {
  const rivals = rivalsOf(holders);
  const order: DocumentId[] = [];
  const seen = new Set<ValueHolder>();
  for (const start of holders) {
    const path = [{ one: start, isAhead: true }];
    for (let step = path.pop(); step !== undefined; step = path.pop()) {
      const { one, isAhead } = step;
      if (!isAhead) order.push(one.id);
      else if (!seen.has(one)) {
        seen.add(one);
        path.push({ one, isAhead: false });
        for (const rival of rivals.get(one) ?? []) path.push({ one: rival, isAhead: true });
      }
    }
  }
  return order;
}

/** Documents that hold one another's values, and whose values nobody else holds. */
export async function cyclesOf(
  holders: readonly ValueHolder[],
  holderOf: HolderOf,
): Promise<readonly (readonly ValueHolder[])[]> {
  const rivals = rivalsOf(holders);
  const owners = ownersOf(holders);
  const candidates = onlyCycles(rivals, new Set(holders));
  for (const one of [...candidates]) {
    const others = one.claims.filter(({ key }) => !owners.has(key));
    const held = await Promise.all(others.map(holderOf));
    if (held.some((holder) => holder !== undefined)) candidates.delete(one);
  }
  return connected(rivals, onlyCycles(rivals, candidates));
}

/** Without those that need a document which is not among them, and those that nobody among them needs. */
function onlyCycles(rivals: Rivals, among: ReadonlySet<ValueHolder>): Set<ValueHolder> {
  const left = new Set(among);
  const neededBy = new Map<ValueHolder, ValueHolder[]>();
  for (const one of left) {
    for (const rival of rivals.get(one) ?? []) neededBy.set(rival, [...(neededBy.get(rival) ?? []), one]);
  }
  const stays = (one: ValueHolder): boolean => {
    const needed = rivals.get(one) ?? [];
    const isNeeded = (neededBy.get(one) ?? []).some((other) => left.has(other));
    return needed.length > 0 && needed.every((rival) => left.has(rival)) && isNeeded;
  };
  const due = [...left];
  for (let one = due.pop(); one !== undefined; one = due.pop()) {
    if (!left.has(one) || stays(one)) continue;
    left.delete(one);
    due.push(...(rivals.get(one) ?? []), ...(neededBy.get(one) ?? []));
  }
  return left;
}

function connected(rivals: Rivals, among: ReadonlySet<ValueHolder>): readonly (readonly ValueHolder[])[] {
  const next = new Map([...among].map((one) => [one, [] as ValueHolder[]]));
  for (const one of among)
    for (const rival of rivals.get(one) ?? []) {
      next.get(one)?.push(rival);
      next.get(rival)?.push(one);
    }
  const seen = new Set<ValueHolder>();
  const groups: ValueHolder[][] = [];
  for (const start of among) {
    const group: ValueHolder[] = [];
    const path = [start];
    for (let one = path.pop(); one !== undefined; one = path.pop()) {
      if (seen.has(one)) continue;
      seen.add(one);
      group.push(one);
      path.push(...(next.get(one) ?? []));
    }
    if (group.length > 0) groups.push(group);
  }
  return groups;
}
