import { type Element, elements, TYPE } from "../../bson/elements.ts";
import type { FieldDifference } from "../../model/reporter.ts";
import { type ElementPair, type Pairing, type PairingBudget, pairElements } from "./element-pairs.ts";
import { FieldList } from "./field-list.ts";
import { lookAlikeNote } from "./look-alike.ts";
import type { PointerPlace } from "./pointer.ts";
import type { StoredValue } from "./value-text.ts";

/** Servers nest documents 200 deep, or 250 where somebody said so. */
const DEEPEST = 300;
/** Elements held at one time: some 30 MB. */
const MOST_HELD = 250_000;

export interface FieldDifferences {
  /** At most 20: in the source's order, then what only the target has. */
  readonly fields: readonly FieldDifference[];
  /** How many more there are. */
  readonly more: number;
}

/**
 * In which fields two documents differ, by their bytes: never empty when these are unequal. Never throws: what cannot be
 * read is named. `values`: with the values, which may be secrets.
 */
export function fieldDifferences(
  source: Uint8Array,
  target: Uint8Array,
  { values }: { readonly values: boolean },
): FieldDifferences {
  if (Buffer.compare(source, target) === 0) return { fields: [], more: 0 };
  const one = bufferOf(source);
  const other = bufferOf(target);
  const list = new FieldList(one, other, values);
  new FieldWalk(one, other, list).documents(undefined, whole(one), whole(other), 0);
  // The same fields, and something after them.
  if (list.fields.length === 0) list.add(undefined, whole(one), whole(other), () => "stored bytes");
  return { fields: list.fields, more: list.more };
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function whole({ length }: Uint8Array): StoredValue {
  return { type: TYPE.object, start: 0, end: length };
}

class FieldWalk {
  readonly #source: Buffer;
  readonly #target: Buffer;
  readonly #list: FieldList;
  readonly #budget: PairingBudget = { left: MOST_HELD };

  constructor(source: Buffer, target: Buffer, list: FieldList) {
    this.#source = source;
    this.#target = target;
    this.#list = list;
  }

  /** Two documents or arrays, or one of each. */
  documents(place: PointerPlace | undefined, one: StoredValue, other: StoredValue, depth: number): void {
    const about = (note: string): void => this.#list.add(place, one, other, () => note);
    try {
      for (const pairing of pairElements(this.#source, one.start, this.#target, other.start, this.#budget))
        this.#pairing(place, one, other, pairing, depth, about);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      about("unreadable BSON");
    }
  }

  #pairing(
    place: PointerPlace | undefined,
    one: StoredValue,
    other: StoredValue,
    pairing: Pairing,
    depth: number,
    about: (note: string) => void,
  ): void {
    if (pairing === "other order") about("order of fields");
    else if (pairing === "too many") about("too many fields to name them");
    else if (pairing.source !== undefined && pairing.target !== undefined)
      this.#both(place, pairing.source, pairing.target, depth);
    else this.#alone(place, pairing, one, other);
  }

  #both(parent: PointerPlace | undefined, one: Element, other: Element, depth: number): void {
    if (this.#areEqual(one, other)) return;
    const place = { parent, bytes: this.#source, element: one };
    const nested = isNested(one) && isNested(other);
    if (one.type !== other.type) this.#list.add(place, one, other, () => undefined);
    else if (!nested)
      this.#list.add(place, one, other, () => lookAlikeNote(this.#source, one, this.#target, other));
    else if (depth >= DEEPEST) this.#list.add(place, one, other, () => "stored bytes");
    if (nested && depth < DEEPEST) this.documents(place, one, other, depth + 1);
  }

  #areEqual(one: Element, other: Element): boolean {
    return (
      one.type === other.type &&
      one.end - one.start === other.end - other.start &&
      this.#source.compare(this.#target, other.start, other.end, one.start, one.end) === 0
    );
  }

  /** A field that has no partner in the other document, where another one of its name may have found one. */
  #alone(
    parent: PointerPlace | undefined,
    { source, target }: ElementPair,
    one: StoredValue,
    other: StoredValue,
  ): void {
    const repeated = (has: boolean): string | undefined => (has ? "repeated field name" : undefined);
    if (source !== undefined) {
      const place = { parent, bytes: this.#source, element: source };
      this.#list.add(place, source, undefined, () => repeated(hasField(this.#target, other, place)));
    } else if (target !== undefined) {
      const place = { parent, bytes: this.#target, element: target };
      this.#list.add(place, undefined, target, () => repeated(hasField(this.#source, one, place)));
    }
  }
}

function isNested({ type }: StoredValue): boolean {
  return type === TYPE.object || type === TYPE.array;
}

/** Whether a document has a field of that name. */
function hasField(bytes: Buffer, { start }: StoredValue, { bytes: named, element }: PointerPlace): boolean {
  for (const { nameStart, nameEnd } of elements(bytes, start)) {
    if (bytes.compare(named, element.nameStart, element.nameEnd, nameStart, nameEnd) === 0) return true;
  }
  return false;
}
