import { setMaxListeners } from "node:events";

/** A signal that never aborts, for calls that need one. */
export const never: AbortSignal = new AbortController().signal;
setMaxListeners(0, never);
