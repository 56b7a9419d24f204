import { type Element, elements } from "../../bson/elements.ts";

/** An element of each of two documents, under the same name; undefined where there is none. */
export interface ElementPair {
  readonly source: Element | undefined;
  readonly target: Element | undefined;
}

/** `other order`: what both documents have stands in another order. `too many`: more fields than the budget allows. */
export type Pairing = ElementPair | "other order" | "too many";

/** How many elements may be held at one time, in all pairings that are under way: what bounds their memory. */
export interface PairingBudget {
  left: number;
}

/**
 * Pairs the elements of the documents or arrays that start at `sourceAt` and `targetAt` by name, in the source's order,
 * then those that only the target has; of a repeated name the first with the first, and so on. As long as both have the
 * same names in the same order nothing is held. Throws RangeError on broken bytes, perhaps after some pairs.
 */
export function* pairElements(
  source: Buffer,
  sourceAt: number,
  target: Buffer,
  targetAt: number,
  budget: PairingBudget,
): Generator<Pairing> {
  const left = elements(source, sourceAt);
  const right = elements(target, targetAt);
  let one = left.next();
  let other = right.next();
  while (!one.done && !other.done && haveSameName(source, one.value, target, other.value)) {
    yield { source: one.value, target: other.value };
    one = left.next();
    other = right.next();
  }
  if (other.done) {
    for (; !one.done; one = left.next()) yield { source: one.value, target: undefined };
  } else if (one.done) {
    for (; !other.done; other = right.next()) yield { source: undefined, target: other.value };
  } else {
    yield* pairRest(source, [one.value], left, target, [other.value], right, budget);
  }
}

function haveSameName(source: Buffer, one: Element, target: Buffer, other: Element): boolean {
  const length = one.nameEnd - one.nameStart;
  if (length !== other.nameEnd - other.nameStart) return false;
  for (let i = 0; i < length; i++) {
    if (source[one.nameStart + i] !== target[other.nameStart + i]) return false;
  }
  return true;
}

function* pairRest(
  source: Buffer,
  ones: Element[],
  left: Iterable<Element>,
  target: Buffer,
  others: Element[],
  right: Iterable<Element>,
  budget: PairingBudget,
): Generator<Pairing> {
  if (!gather(ones, left, budget.left) || !gather(others, right, budget.left - ones.length)) {
    yield "too many";
    return;
  }
  const held = ones.length + others.length;
  budget.left -= held;
  try {
    yield* pairByName(source, ones, target, others);
  } finally {
    budget.left += held;
  }
}

/** False when there are more elements than `most`. */
function gather(into: Element[], from: Iterable<Element>, most: number): boolean {
  for (const element of from) {
    if (into.length >= most) return false;
    into.push(element);
  }
  return into.length <= most;
}

function* pairByName(
  source: Buffer,
  ones: readonly Element[],
  target: Buffer,
  others: readonly Element[],
): Generator<Pairing> {
  const places = new Places(target, others);
  const partners = Int32Array.from(ones, (one) => places.take(nameOf(source, one)));
  const paired = partners.filter((place) => place >= 0);
  if (paired.some((place, i) => i > 0 && place < (paired[i - 1] as number))) yield "other order";
  for (const [i, one] of ones.entries()) yield { source: one, target: others[partners[i] as number] };
  const taken = new Uint8Array(others.length);
  for (const place of paired) taken[place] = 1;
  for (const [i, other] of others.entries()) {
    if (taken[i] === 0) yield { source: undefined, target: other };
  }
}

/** Where the names of a list of elements stand in it. */
class Places {
  /** The first of each name that was not taken yet. */
  readonly #first = new Map<string, number>();
  /** The next one of the same name; -1 when there is none. */
  readonly #next: Int32Array;

  constructor(bytes: Buffer, list: readonly Element[]) {
    this.#next = new Int32Array(list.length);
    for (let i = list.length - 1; i >= 0; i--) {
      const name = nameOf(bytes, list[i] as Element);
      this.#next[i] = this.#first.get(name) ?? -1;
      this.#first.set(name, i);
    }
  }

  /** -1 when there is none, or none left. */
  take(name: string): number {
    const place = this.#first.get(name) ?? -1;
    if (place >= 0) this.#first.set(name, this.#next[place] as number);
    return place;
  }
}

/** A character for each byte: names that are not UTF-8 stay apart. */
function nameOf(bytes: Buffer, { nameStart, nameEnd }: Element): string {
  return bytes.toString("latin1", nameStart, nameEnd);
}
