import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { isSmall } from "../walk/ranges.ts";
import { TaskPool } from "./task-pool.ts";

interface PoolLimits {
  /** Ranges of all collections together, and collections, that are worked on at the same time. */
  readonly concurrency: number;
  /** Hears of the first failure at once. */
  readonly stop: (error: unknown) => void;
}

/** So many small collections are worked on in the place of a range. */
const SMALL_PER_RANGE = 4;

type Parallel = Pick<Reader, "parallel">;

/** How many small collections these stores take at a time. Whoever wants one thing at a time gets that. */
export function smallAtOnce(
  { source, target }: { readonly source: Parallel; readonly target: Parallel },
  concurrency: number,
): number {
  if (concurrency === 1) return 1;
  const taken = Math.min(source.parallel ?? concurrency, target.parallel ?? concurrency);
  return Math.max(concurrency, Math.min(taken, SMALL_PER_RANGE * concurrency));
}

/**
 * Works on collections side by side, the largest first; on small ones beside them, more at a time; definitions last. `work`
 * gets a gate that the ranges of several collections share. The first error ends everything.
 */
export async function sideBySide<J extends { readonly from: CollectionInfo }>(
  jobs: readonly J[],
  { concurrency, small, stop }: PoolLimits & { readonly small: number },
  work: (job: J, gate: TaskPool) => Promise<void>,
): Promise<void> {
  const isDefinition = ({ from }: J): boolean => from.kind === "definition";
  const isSmallOne = (job: J): boolean => !isDefinition(job) && isSmall(job.from);
  const large = jobs
    .filter((job) => !isDefinition(job) && !isSmallOne(job))
    .sort((a, b) => b.from.bytes - a.from.bytes);
  const both = await Promise.allSettled([
    inPool(large, concurrency, stop, work),
    inPool(jobs.filter(isSmallOne), small, stop, work),
  ]);
  for (const done of both) if (done.status === "rejected") throw done.reason;
  // They may be defined on collections, which must be there before them.
  await inPool(jobs.filter(isDefinition), concurrency, stop, work);
}

async function inPool<J>(
  jobs: readonly J[],
  size: number,
  stop: (error: unknown) => void,
  work: (job: J, gate: TaskPool) => Promise<void>,
): Promise<void> {
  const gate = new TaskPool(size, stop);
  const collections = new TaskPool(size, stop);
  try {
    for (const job of jobs) await collections.add(() => work(job, gate));
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
