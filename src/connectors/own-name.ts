/** The name of the collection, or table, in which dualsync keeps its lease and history, in the target itself. */
export const OWN_NAME = "_dualsync";

/** Whatever has such a name in a store is dualsync's own: never listed, copied, compared, counted or removed. */
export function isOwnName(name: string): boolean {
  return name.startsWith(OWN_NAME);
}
