import { decimal128Bytes, fitted, type Scaled } from "../bson/decimal128.ts";

/** The number that a decimal text (JSON's grammar) is, digit for digit; undefined for any other text. */
export function scaledOf(text: string): Scaled | undefined {
  const parts = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = parts;
  return { negative: sign === "-", coefficient: whole + fraction, exponent: Number(power) - fraction.length };
}

/** Two texts are the same number exactly when these are the same; NaN and the infinities are their own. */
export function canonicalNumber(text: string): string {
  const scaled = scaledOf(text);
  if (scaled === undefined) return text;
  const digits = scaled.coefficient.replace(/^0+/, "");
  const bare = withoutEndZeros(digits);
  if (bare === "") return "0";
  return `${scaled.negative ? "-" : ""}${bare}e${scaled.exponent + digits.length - bare.length}`;
}

/** In one pass: a pattern for the end of a text looks at each run of zeros again from each of its zeros. */
export function withoutEndZeros(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  return text.slice(0, end);
}

/** Without an exponent. */
export function plainText({ negative, coefficient, exponent }: Scaled): string {
  const sign = negative && /[1-9]/.test(coefficient) ? "-" : "";
  if (exponent >= 0) return `${sign}${coefficient === "0" ? "0" : coefficient + "0".repeat(exponent)}`;
  const digits = coefficient.padStart(1 - exponent, "0");
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}

/** The shortest decimal that is this Double and no other, without an exponent; NaN and the infinities by name. */
export function plainDouble(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  if (!text.includes("e")) return text;
  return plainText(scaledOf(text) as Scaled);
}

/** How a decimal number is kept: as a Double whose shortest text is the same number, as a decimal128, or as its text. */
export type Kept =
  | { readonly as: "double"; readonly value: number; readonly printed: string }
  | { readonly as: "decimal128"; readonly bytes: Uint8Array; readonly printed: string }
  | { readonly as: "text" };

/** Digits that a Double gives back, whichever they are. */
const DOUBLE_DIGITS = 15;

/** `text` follows JSON's grammar. `printed` is what the value kept looks like when it is printed again. */
export function keptOf(text: string): Kept {
  const value = Number(text);
  const short = value === 0 ? undefined : shortened(text);
  if (short !== undefined) return { as: "double", value, printed: short };
  const shortest = String(value);
  if (shortest === text) return { as: "double", value, printed: text };
  if (Number.isFinite(value) && (value !== 0 || isZero(text))) {
    if (canonicalNumber(text) === canonicalNumber(shortest))
      return { as: "double", value, printed: plainDouble(value) };
  }
  const scaled = scaledOf(text);
  const fit = scaled === undefined ? undefined : fitted(scaled);
  if (fit === undefined) return { as: "text" };
  return { as: "decimal128", bytes: decimal128Bytes(fit), printed: plainText(fit) };
}

/** A plain decimal of few digits without the zeros that end its fraction; undefined for any other: for speed. */
function shortened(text: string): string | undefined {
  if (text.length > DOUBLE_DIGITS) return undefined;
  let point = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) point = at;
    else if (code === 0x65 || code === 0x45) return undefined;
  }
  if (point < 0) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  return text.slice(0, end - 1 === point ? point : end);
}

function isZero(text: string): boolean {
  return /^-?0(?:\.0*)?(?:[eE]|$)/.test(text);
}

/** A plain decimal with zeros added until it has `scale` digits after the point. */
export function withScale(plain: string, scale: number | undefined): string {
  if (scale === undefined || scale <= 0) return plain;
  const point = plain.indexOf(".");
  if (point < 0) return `${plain}.${"0".repeat(scale)}`;
  return plain.padEnd(point + 1 + scale, "0");
}
