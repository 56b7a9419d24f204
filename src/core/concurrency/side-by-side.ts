import type { CollectionInfo } from "../../connectors/collection.ts";
import { TaskPool } from "./task-pool.ts";

interface PoolLimits {
  /** Ranges of all collections together, and collections, that are worked on at the same time. */
  readonly concurrency: number;
  /** Hears of the first failure at once. */
  readonly stop: (error: unknown) => void;
}

/**
 * Works on collections side by side, large ones first and definitions last. `work` gets a gate that the ranges of all
 * collections share. The first error ends everything.
 */
export async function sideBySide<J extends { readonly from: CollectionInfo }>(
  jobs: readonly J[],
  { concurrency, stop }: PoolLimits,
  work: (job: J, gate: TaskPool) => Promise<void>,
): Promise<void> {
  const gate = new TaskPool(concurrency, stop);
  const collections = new TaskPool(concurrency, stop);
  const ordered = [...jobs].sort(
    (a, b) =>
      Number(a.from.kind === "definition") - Number(b.from.kind === "definition") ||
      b.from.bytes - a.from.bytes,
  );
  try {
    for (const job of ordered) {
      // It may be defined on collections, which must be there before it.
      if (job.from.kind === "definition") await collections.join();
      await collections.add(() => work(job, gate));
    }
    await collections.join();
  } finally {
    await collections.drain();
    await gate.drain();
  }
}

/** Works on the ranges of one collection, each as the gate has a place. */
export async function eachRange<R>(
  ranges: readonly R[],
  gate: TaskPool,
  { concurrency, stop }: PoolLimits,
  work: (range: R) => Promise<void>,
): Promise<void> {
  const own = new TaskPool(concurrency, stop);
  try {
    for (const range of ranges) await own.add(() => inGate(gate, () => work(range)));
    await own.join();
  } finally {
    await own.drain();
  }
}

/** Runs `work` when the gate has a place, and fails as it fails: the gate is shared, its failures are not. */
function inGate(gate: TaskPool, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    gate.add(() => work().then(resolve, reject)).catch(reject);
  });
}
