/** What was copied from a source before and is not listed there any more: dropped, renamed, or hidden for want of a right. */
import type { Before } from "./guard.ts";
import type { PlannedJob, Wanted } from "./plan.ts";

/** Names in the target of such collections that hold documents and were not left out by the person. */
export function vanished(
  jobs: readonly PlannedJob[],
  source: Before,
  target: Before,
  { selects, renames, usualRenames = new Map() }: Wanted,
): string[] {
  const written = new Set(jobs.map(({ to }) => to.name));
  const holding = new Set(
    target.listing.collections.filter(({ documents }) => documents > 0).map(({ name }) => name),
  );
  const former = (name: string): string[] => [
    name,
    ...[...renames, ...usualRenames].filter(([, to]) => to === name).map(([from]) => from),
  ];
  return [...target.history.collections]
    .filter(([name, { from }]) => from === source.label && holding.has(name) && !written.has(name))
    .map(([name]) => name)
    .filter((name) => former(name).every(selects));
}
