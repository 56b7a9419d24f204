/** CRC-64 with the polynomial of ECMA-182, as archive files have it: reflected, all bits set at first and turned at the end. */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const [LOW, HIGH] = table();

function table(): readonly [Int32Array, Int32Array] {
  const [low, high] = [new Int32Array(256), new Int32Array(256)];
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
    low[byte] = Number(BigInt.asIntN(32, crc));
    high[byte] = Number(BigInt.asIntN(32, crc >> 32n));
  }
  return [low, high];
}

export class Crc64 {
  #low = -1;
  #high = -1;

  add(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] as number);
      high = (high >>> 8) ^ (HIGH[index] as number);
    }
    this.#low = low;
    this.#high = high;
  }

  /** As a signed number of 64 bits, which is how BSON holds it. */
  get value(): bigint {
    return (BigInt(~this.#high) << 32n) | BigInt(~this.#low >>> 0);
  }
}
