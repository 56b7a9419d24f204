import type { StoreIdentity } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { StoreSnapshot } from "./snapshot.ts";

/** A store as it says it is. */
export interface IdentifiedStore extends StoreSnapshot {
  readonly identity: StoreIdentity;
  readonly database: string;
}

/**
 * Refuses to compare a store with itself under two addresses, which would always be identical and prove nothing. Without
 * writing it is decided by the server process that answers, by what the last run left in the target, and by collections that
 * are the very same. A server that was restored from a snapshot of the other holds those, too: its process is another.
 * @throws DualsyncError `refused`
 */
export function assertTwoStores(source: IdentifiedStore, target: IdentifiedStore): void {
  if (!isOneStore(source, target)) return;
  throw new DualsyncError(
    "refused",
    `Source and target are the same database (${source.identity.label}), under two addresses: comparing it with itself proves nothing.`,
    { hint: "Nothing was compared. Give the copy's address with --to." },
  );
}

/** Why nothing is copied between two addresses of one database. */
export function oneStore(label: string): DualsyncError {
  return new DualsyncError(
    "refused",
    `Source and target are the same database (${label}), under two addresses.`,
    {
      hint: "Nothing was copied. Give the target another database or another server with --to.",
    },
  );
}

/** As far as looking at both shows it. */
export function isOneStore(source: IdentifiedStore, target: IdentifiedStore): boolean {
  const { instance } = source.identity;
  const sameServer =
    instance !== undefined && instance === target.identity.instance && source.database === target.database;
  const token = source.history.lastRun?.token;
  const sameMark = token !== undefined && token !== "" && token === target.history.lastRun?.token;
  return sameServer || sameMark || haveSameCollections(source, target);
}

function haveSameCollections(source: IdentifiedStore, target: IdentifiedStore): boolean {
  const { instance } = source.identity;
  const other = target.identity.instance;
  if (instance !== undefined && other !== undefined && instance !== other) return false;
  const there = new Map(target.listing.collections.map(({ name, uid }) => [name, uid]));
  return source.listing.collections.some(({ name, uid }) => uid !== undefined && uid === there.get(name));
}

/** The time by the slowest of this machine's clock and those of the stores, which were just asked. */
export function slowestClock(stores: readonly Pick<StoreIdentity, "time">[], now = Date.now): () => Date {
  const asked = now();
  const behind = stores.map(({ time }) => (time === undefined ? 0 : asked - time.getTime()));
  const most = Math.max(0, ...behind);
  return () => new Date(now() - most);
}

/** The time by the fastest of them: what may have expired by any of them has. */
export function fastestClock(stores: readonly Pick<StoreIdentity, "time">[], now = Date.now): () => Date {
  const asked = now();
  const ahead = stores.map(({ time }) => (time === undefined ? 0 : time.getTime() - asked));
  const most = Math.max(0, ...ahead);
  return () => new Date(now() + most);
}
