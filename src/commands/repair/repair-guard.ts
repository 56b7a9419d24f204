/** What keeps a plan that was made of the wrong stores, or at the wrong time, from doing harm. Everything here only looks, and refuses. */

import { assertNotHalfRestored, assertNotSwapped } from "../../core/plan/guards.ts";
import { isShrunken, shrinkError } from "../../core/plan/shrink.ts";
import { lookAt } from "../../core/plan/snapshot.ts";
import type { RepairPlanReader } from "../../core/repair/repair-plan.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Stores } from "../run/stores.ts";
import type { RepairOptions } from "./repair-options.ts";

interface GuardedStores extends Stores {
  readonly signal: AbortSignal;
}

/** @throws DualsyncError `refused` */
export async function assertSafe(
  looking: GuardedStores,
  plan: RepairPlanReader,
  options: Pick<RepairOptions, "delete" | "allowShrink">,
): Promise<void> {
  const [source, target] = await Promise.all([
    lookAt(looking.source, looking.signal, (name) => plan.collections.some(({ source }) => source === name)),
    lookAt(looking.target, looking.signal),
  ]);
  assertNotHalfRestored(source);
  assertNotSwapped(source, target, true);
  if (!options.delete) return;
  // What is not listed is not looked at either: repairing leaves its copy alone, and says why.
  const listed = new Set(source.listing.collections.map(({ name }) => name));
  for (const pair of plan.collections)
    if (listed.has(pair.source)) await assertNotEmptied(looking, pair, plan, options);
}

/** Removing most of a collection, or all that a source has lost, is more likely a fault of the source than a wish. */
async function assertNotEmptied(
  { source, target, signal }: GuardedStores,
  pair: { readonly source: string; readonly target: string },
  { changes }: RepairPlanReader,
  { allowShrink }: Pick<RepairOptions, "allowShrink">,
): Promise<void> {
  const { remove } = changes.get(pair.target) ?? { remove: 0 };
  if (remove === 0) return;
  const [left, there] = await Promise.all([
    source.count(pair.source, {}, signal),
    target.count(pair.target, {}, signal),
  ]);
  if (left === 0 && there > 0) {
    throw new DualsyncError(
      "refused",
      `${JSON.stringify(pair.source)} is empty in the source and holds ${there} documents in the target: --delete would remove ${remove} of them.`,
      { hint: "Nothing was changed. Look at the source first; repair without --delete removes nothing." },
    );
  }
  const stay = Math.max(0, there - remove);
  if (!allowShrink && isShrunken(stay, there))
    throw shrinkError(pair.source, stay, there, "Nothing was changed.");
}
