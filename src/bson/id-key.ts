/** Placeholder until the module is written. */
export function idKey(element: Uint8Array): string {
  return Buffer.from(element).toString("latin1");
}
