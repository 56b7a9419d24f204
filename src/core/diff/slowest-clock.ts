import type { StoreIdentity } from "../../connectors/connector.ts";

/** The time by the slowest of this machine's clock and those of the stores, which were just asked. */
export function slowestClock(stores: readonly Pick<StoreIdentity, "time">[], now = Date.now): () => Date {
  const asked = now();
  const behind = stores.map(({ time }) => (time === undefined ? 0 : asked - time.getTime()));
  const most = Math.max(0, ...behind);
  return () => new Date(now() - most);
}
