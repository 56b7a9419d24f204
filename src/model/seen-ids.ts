import { hash } from "node:crypto";

/**
 * Which ids were seen, in 16 bytes each, however long they are: by 128 bits of their SHA-256. So many never fall together by chance, nor
 * can anybody make two that do.
 */
export class SeenIds {
  /** Two numbers each, in the first free place from where the first one points to. Zeros: free. */
  #slots = new BigUint64Array(2 * 1_024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns whether it is new */
  add(key: string): boolean {
    return this.#put(...digestOf(key));
  }

  /** Everything that another one has, by its digests; anything behind the last whole one is left out. */
  addDigests(digests: Uint8Array): void {
    const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
    for (let at = 0; at + DIGEST_BYTES <= bytes.length; at += DIGEST_BYTES)
      this.#put(bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8));
  }

  clear(): void {
    this.#slots = new BigUint64Array(2 * 1_024);
    this.#size = 0;
  }

  /** 16 bytes each, in no order. */
  digests(): Uint8Array {
    const bytes = Buffer.alloc(this.#size * DIGEST_BYTES);
    let to = 0;
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [high, low] = [this.#slots[at] as bigint, this.#slots[at + 1] as bigint];
      if (high === 0n && low === 0n) continue;
      bytes.writeBigUInt64LE(high, to);
      bytes.writeBigUInt64LE(low, to + 8);
      to += DIGEST_BYTES;
    }
    return bytes;
  }

  /** @returns whether it is new */
  #put(high: bigint, low: bigint): boolean {
    if (high === 0n && low === 0n) return false;
    if (this.#size * 3 > this.#slots.length) this.#grow();
    const at = placeOf(this.#slots, high, low);
    if (this.#slots[at] !== 0n || this.#slots[at + 1] !== 0n) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size++;
    return true;
  }

  has(key: string): boolean {
    const [high, low] = digestOf(key);
    const at = placeOf(this.#slots, high, low);
    return this.#slots[at] === high && this.#slots[at + 1] === low;
  }

  #grow(): void {
    const before = this.#slots;
    const slots = new BigUint64Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      const [high, low] = [before[at] as bigint, before[at + 1] as bigint];
      if (high === 0n && low === 0n) continue;
      const place = placeOf(slots, high, low);
      slots[place] = high;
      slots[place + 1] = low;
    }
    this.#slots = slots;
  }
}

const DIGEST_BYTES = 16;

function digestOf(key: string): readonly [high: bigint, low: bigint] {
  const digest = hash("sha256", key, "buffer");
  return [digest.readBigUInt64LE(0), digest.readBigUInt64LE(8)];
}

/** Where it is, or where it would be. */
function placeOf(slots: BigUint64Array, high: bigint, low: bigint): number {
  const places = slots.length / 2;
  let place = Number(high & BigInt(places - 1));
  for (;;) {
    const [there, behind] = [slots[2 * place], slots[2 * place + 1]];
    if ((there === high && behind === low) || (there === 0n && behind === 0n)) return 2 * place;
    place = (place + 1) & (places - 1);
  }
}
