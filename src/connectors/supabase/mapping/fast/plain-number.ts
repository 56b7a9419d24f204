/** More digits than these are not given back by every Double. */
const DIGITS = 15;
const POWERS = Array.from({ length: DIGITS + 1 }, (_, power) => 10 ** power);
const [MINUS, POINT, ZERO] = [0x2d, 0x2e, 0x30];

/**
 * A decimal number of few digits, without an exponent, in JSON's grammar: read from its bytes alone. Its Double is the
 * one that JavaScript reads, as both parts of the fraction are exact, and printing it gives the digits back.
 */
export class PlainNumber {
  value = 0;
  isWhole = true;
  /** Digits after the point. */
  fraction = 0;
  /** The same, without the zeros at the end. */
  kept = 0;

  /** False where the bytes are anything else; -0 is. */
  read(bytes: Uint8Array, from: number, end: number): boolean {
    const start = bytes[from] === MINUS ? from + 1 : from;
    if (start >= end || end - start > DIGITS + 1) return false;
    if (bytes[start] === POINT || (bytes[start] === ZERO && end - start > 1 && bytes[start + 1] !== POINT))
      return false;
    let mantissa = 0;
    let point = -1;
    for (let at = start; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
      else if (digit === POINT - ZERO && point < 0) point = at;
      else return false;
    }
    if (point === end - 1 || (point < 0 && end - start > DIGITS) || (mantissa === 0 && start > from))
      return false;
    this.isWhole = point < 0;
    this.fraction = point < 0 ? 0 : end - point - 1;
    this.kept = this.fraction;
    while (this.kept > 0 && bytes[end - 1 - this.fraction + this.kept] === ZERO) this.kept--;
    const value = mantissa / (POWERS[this.fraction] as number);
    this.value = start > from ? -value : value;
    return true;
  }
}
