import { Decimal128, ObjectId } from "mongodb";

const SYLLABLES = [
  "ba",
  "dro",
  "el",
  "fi",
  "gan",
  "hu",
  "ix",
  "jor",
  "ka",
  "lum",
  "mi",
  "nev",
  "o",
  "pra",
  "qui",
];

/**
 * Invented values from a seed: the same seed gives the same values in the same order on every machine (mulberry32).
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 to less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.whole(0, list.length - 1)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  /** An invented word of `syllables` syllables, with a capital. */
  word(syllables: number): string {
    let word = "";
    for (let count = 0; count < syllables; count++) word += this.pick(SYLLABLES);
    return word.charAt(0).toUpperCase() + word.slice(1);
  }

  text(words: number): string {
    return Array.from({ length: words }, () => this.word(this.whole(1, 3)).toLowerCase()).join(" ");
  }
}

/** The id that a driver could have given to the `number`th document made at `time`. `kind` (0 to 255) distinguishes collections. */
export function objectId(kind: number, number: number, time: Date): ObjectId {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(Math.floor(time.getTime() / 1000), 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt32BE(number, 8);
  return new ObjectId(bytes);
}

/** An amount of money: 1250 cents are 12.50, with both decimals kept. */
export function money(cents: number): Decimal128 {
  return Decimal128.fromString(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`);
}
