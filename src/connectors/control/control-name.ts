/** The name of the collection, or table, in which dualsync keeps its lease and history, in the target itself. */
export const CONTROL_NAME = "_dualsync";

/** Whatever has such a name in a store is dualsync's own: never listed, copied, compared, counted or removed. */
export function isControlName(name: string): boolean {
  return name.startsWith(CONTROL_NAME);
}
