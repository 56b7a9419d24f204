import { candidatesFor } from "./candidates.ts";
import type { Environment } from "./environment.ts";
import type { Location } from "./location.ts";

/**
 * All stores of the pairs that the environment names, each once. Fails with `usage` when a variable of a pair is set
 * and cannot be right.
 */
export function namedStores(environment: Environment): readonly Location[] {
  const stores = candidatesFor("diff", environment).flatMap(({ primary, copy }) => [copy, primary]);
  return stores.filter((store, at) => stores.findIndex(({ label }) => label === store.label) === at);
}
