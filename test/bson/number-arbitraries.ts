import fc from "fast-check";
import { type BsonValue, decimal, decimalBits, double, int32, int64 } from "./bson-bytes.ts";

/** Whole numbers around which the four number types begin to differ. */
const LANDMARKS = [
  0n,
  1n,
  10n,
  2n ** 24n,
  2n ** 31n,
  2n ** 32n,
  10n ** 15n,
  2n ** 53n,
  2n ** 55n,
  2n ** 56n,
  10n ** 18n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n,
  10n ** 22n,
  10n ** 33n,
];

/** One whole number in any of the types that can hold it, so that equal ids of different types are common. */
const whole: fc.Arbitrary<BsonValue> = fc
  .record({
    landmark: fc.constantFrom(...LANDMARKS),
    distance: fc.integer({ min: -3, max: 3 }),
    negative: fc.boolean(),
    zeros: fc.nat({ max: 14 }),
    choice: fc.nat({ max: 3 }),
  })
  .map(({ landmark, distance, negative, zeros, choice }) => {
    const magnitude = landmark + BigInt(distance);
    const value = negative ? -magnitude : magnitude;
    if (choice === 0 && BigInt.asIntN(32, value) === value) return int32(Number(value));
    if (choice === 1 && BigInt.asIntN(64, value) === value) return int64(value);
    if (choice <= 2 && BigInt(Number(value)) === value)
      return double(negative ? -Number(-value) : Number(value));
    return decimalOf(value, zeros, negative);
  });

/** `value` with some of its last zeros in the exponent, or with zeros after the point. */
function decimalOf(value: bigint, zeros: number, negative: boolean): BsonValue {
  const sign = negative && value <= 0n ? true : value < 0n;
  const magnitude = value < 0n ? -value : value;
  const scaled = magnitude * 10n ** BigInt(zeros);
  if (scaled < 10n ** 34n) return decimal(scaled, -zeros, sign);
  let coefficient = magnitude;
  let exponent = 0;
  for (; coefficient % 10n === 0n && exponent < zeros; exponent++) coefficient /= 10n;
  return decimal(coefficient, exponent, sign);
}

/** Decimals between two whole numbers near a landmark: there servers have other ways to hold them on either side. */
function betweenWholes(...landmarks: readonly bigint[]): fc.Arbitrary<BsonValue> {
  return fc
    .record({
      landmark: fc.constantFrom(...landmarks),
      distance: fc.integer({ min: -3, max: 3 }),
      fraction: fc.constantFrom("5", "3", "000001", "9999999", "70"),
      negative: fc.boolean(),
    })
    .map(({ landmark, distance, fraction, negative }) => {
      const whole = landmark + BigInt(distance);
      const digits = fraction.slice(0, Math.max(0, 34 - whole.toString().length));
      const magnitude = BigInt(`${whole < 0n ? -whole : whole}${digits}`);
      return decimal(magnitude, -digits.length, negative);
    });
}

/** Fractions that a double and a decimal hold exactly: n / 2^k. */
const binaryFraction: fc.Arbitrary<BsonValue> = fc
  .record({
    numerator: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 })),
    halvings: fc.integer({ min: 1, max: 24 }),
    asDecimal: fc.boolean(),
  })
  .map(({ numerator, halvings, asDecimal }) => {
    if (!asDecimal) return double(numerator / 2 ** halvings);
    const coefficient = BigInt(Math.abs(numerator)) * 5n ** BigInt(halvings);
    return decimal(coefficient, -halvings, numerator < 0);
  });

/** Doubles of every size: few bits, so that the same ones come again, or many. */
const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(0.1, 0.2, 0.3, 1.1, 1 / 3, 1e-5, 1e23, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -1074, max: 1020 }))
    .map(([digit, exponent]) => digit * 2 ** exponent),
);

/** A double, or a decimal right beside it: its first digits, cut or one up, in the last place. */
const besideDouble: fc.Arbitrary<BsonValue> = fc
  .record({
    value: anyDouble,
    negative: fc.boolean(),
    digits: fc.constantFrom(1, 14, 15, 16, 17, 33, 34),
    step: fc.constantFrom(0n, 1n),
    asDouble: fc.boolean(),
  })
  .map(({ value, negative, digits, step, asDouble }) => {
    if (asDouble || !Number.isFinite(value)) return double(negative ? -value : value);
    const [mantissa = "0", power = "0"] = Math.abs(value).toExponential(99).split("e");
    const coefficient = BigInt(mantissa.replace(".", "").slice(0, digits)) + step;
    const exponent = Number(power) - digits + 1;
    return decimal(coefficient === 10n ** 34n ? coefficient - 1n : coefficient, exponent, negative);
  });

/** Decimals of every size, beyond every double too. */
const anyDecimal: fc.Arbitrary<BsonValue> = fc
  .record({
    coefficient: fc.oneof(
      fc.bigInt({ min: 0n, max: 30n }),
      fc.bigInt({ min: 0n, max: 10n ** 34n - 1n }),
      fc.constantFrom(10n ** 33n, 10n ** 34n - 1n, 1n),
    ),
    exponent: fc.oneof(
      fc.integer({ min: -6176, max: 6111 }),
      fc.integer({ min: -345, max: -300 }),
      fc.integer({ min: 270, max: 310 }),
      fc.constantFrom(-6176, -6175, -6143, 6110, 6111),
    ),
    negative: fc.boolean(),
  })
  .map(({ coefficient, exponent, negative }) => decimal(coefficient, exponent, negative));

const NOT_FINITE = [
  double(Number.NaN),
  double(Number.POSITIVE_INFINITY),
  double(Number.NEGATIVE_INFINITY),
  decimalBits(0x7cn << 120n),
  decimalBits(0xfcn << 120n),
  decimalBits(0x7en << 120n),
  decimalBits(0x78n << 120n),
  decimalBits(0xf8n << 120n),
];

/** Bit patterns that no writer makes: coefficients of 10^34 or more, in both forms; the server reads them as zero. */
const ODD_DECIMALS = [
  decimalBits((6176n << 113n) | (10n ** 34n)),
  decimalBits((1n << 127n) | (6000n << 113n) | (2n ** 113n - 1n)),
  decimalBits((0x6cn << 120n) | 12345n),
  decimalBits((0xedn << 120n) | (2n ** 100n)),
];

const ZEROS = [
  int32(0),
  int64(0n),
  double(0),
  double(-0),
  decimal(0n, 0),
  decimal(0n, -6176),
  decimal(0n, 6111, true),
];

export const anyNumber: fc.Arbitrary<BsonValue> = fc.oneof(
  { weight: 5, arbitrary: whole },
  { weight: 3, arbitrary: betweenWholes(...LANDMARKS) },
  { weight: 3, arbitrary: binaryFraction },
  { weight: 5, arbitrary: besideDouble },
  { weight: 3, arbitrary: anyDecimal },
  { weight: 1, arbitrary: fc.integer().map(int32) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(int64) },
  { weight: 1, arbitrary: fc.constantFrom(...NOT_FINITE, ...ODD_DECIMALS, ...ZEROS) },
);

/** Numbers close to where whole numbers are no longer doubles, most of them often. */
export const numberNearLimit: fc.Arbitrary<BsonValue> = fc.oneof(
  { weight: 3, arbitrary: betweenWholes(2n ** 53n, 2n ** 63n) },
  { weight: 2, arbitrary: whole },
);
