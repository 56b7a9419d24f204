/** How a copy is proved: by reading the target back byte for byte, by counting, or not at all. */
export type VerifyMode = "content" | "counts" | "none";

const STRENGTH: Readonly<Record<VerifyMode, number>> = { none: 0, counts: 1, content: 2 };

export function isWeaker(a: VerifyMode, b: VerifyMode): boolean {
  return STRENGTH[a] < STRENGTH[b];
}

/** What is said of all that was done must be true of each part. */
export function weaker(a: VerifyMode, b: VerifyMode): VerifyMode {
  return isWeaker(a, b) ? a : b;
}
