import type { CollectionInfo } from "../connectors/connector.ts";
import { Flights } from "./flights.ts";

interface Limits {
  /** Ranges of all collections together, and collections, that are worked on at the same time. */
  readonly concurrency: number;
  /** Hears of the first failure at once. */
  readonly stop: (error: unknown) => void;
}

/**
 * Works on collections side by side, large ones first and views last. `work` gets a gate that the ranges of all
 * collections share. The first error ends everything.
 */
export async function sideBySide<J extends { readonly from: CollectionInfo }>(
  jobs: readonly J[],
  { concurrency, stop }: Limits,
  work: (job: J, gate: Flights) => Promise<void>,
): Promise<void> {
  const gate = new Flights(concurrency, stop);
  const collections = new Flights(concurrency, stop);
  const ordered = [...jobs].sort(
    (a, b) => Number(a.from.kind === "view") - Number(b.from.kind === "view") || b.from.bytes - a.from.bytes,
  );
  try {
    for (const job of ordered) {
      // A view is defined on collections that must be there before it.
      if (job.from.kind === "view") await collections.land();
      await collections.add(() => work(job, gate));
    }
    await collections.land();
  } finally {
    await collections.settle();
    await gate.settle();
  }
}

/** Works on the ranges of one collection, each as the gate has a place. */
export async function eachRange<R>(
  ranges: readonly R[],
  gate: Flights,
  { concurrency, stop }: Limits,
  work: (range: R) => Promise<void>,
): Promise<void> {
  const own = new Flights(concurrency, stop);
  try {
    for (const range of ranges) await own.add(() => inGate(gate, () => work(range)));
    await own.land();
  } finally {
    await own.settle();
  }
}

/** Runs `work` when the gate has a place, and fails as it fails: the gate is shared, its failures are not. */
function inGate(gate: Flights, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    gate.add(() => work().then(resolve, reject)).catch(reject);
  });
}
