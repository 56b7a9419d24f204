/** Keys that dualsync keeps in a KV store for itself: never listed, read, counted or written for anybody. */
import { CONTROL_NAME } from "../../control/control-name.ts";

/** Who writes here now; expires by itself. */
export const LEASE_KEY = `${CONTROL_NAME}:lease`;

/** The restore that filled this store, for as long as that matters. */
export const RESTORING_KEY = `${CONTROL_NAME}:restoring`;

/** What is written to see whether this store serves; gone at once, and by itself after a minute. */
export const PROBE_KEY = `${CONTROL_NAME}:probe`;

/** What a large value is built under before it is whole; each expires by itself. */
export const BUILD_PREFIX = `${CONTROL_NAME}:build:`;

const OWN = Buffer.from(CONTROL_NAME);

export function isOwnKey(key: Uint8Array): boolean {
  return key.length >= OWN.length && OWN.equals(key.subarray(0, OWN.length));
}
