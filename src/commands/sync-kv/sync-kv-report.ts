import type { UnfinishedRun } from "../../connectors/copy-layouts.ts";
import type { Spent } from "../../connectors/powers/costs.ts";
import type { Losses } from "../../core/progress/losses.ts";
import { exitCode } from "../../model/errors.ts";
import { NO_COUNTS, type SyncCounts, type SyncReport } from "../../model/sync.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { minute } from "../../reporting/text/time-window.ts";
import type { PlannedSync } from "./plan-sync-kv.ts";
import type { SyncKvOptions } from "./sync-kv-options.ts";

export interface SyncFacts {
  readonly losses: Losses;
  readonly started: Date;
  readonly options: SyncKvOptions;
  /** By this run before it began anew. */
  readonly spent: Spent;
  /** Runs before this one, which settled the rest. */
  readonly resumed: UnfinishedRun | undefined;
}

/** Nothing is left undone, neither by this run nor by those before it whose work it does not repeat. */
export function isInStep({ losses, resumed }: Pick<SyncFacts, "losses" | "resumed">): boolean {
  return losses.counted + (resumed?.open ?? 0) === 0;
}

/** `counts`: undefined for a dry run. */
export function syncReport(
  { plan, kv }: Pick<PlannedSync, "plan" | "kv">,
  counts: SyncCounts | undefined,
  facts: SyncFacts,
  saved: readonly string[],
): SyncReport {
  const { losses, started, spent, resumed } = facts;
  const { command, primary, copy, direction, layout } = plan;
  const now = kv.costs.spent;
  const isWhole = isInStep(facts);
  return {
    ...{ command, primary, copy, direction, layout, started },
    ended: new Date(),
    counts: counts ?? NO_COUNTS,
    spent: {
      commands: spent.commands + now.commands,
      requests: spent.requests + now.requests,
      bytes: spent.bytes + now.bytes,
    },
    resumed: resumed && { since: resumed.since, documents: resumed.settled.size },
    items: losses.items,
    itemCount: losses.total,
    exitCode: exitCode(isWhole ? "done" : "incomplete"),
    verdict:
      counts === undefined
        ? "Dry run: nothing was written. Run the same command without --dry-run to go on."
        : [verdictOf(counts, isWhole, facts), ...saved].join(" "),
  };
}

function verdictOf(
  counts: SyncCounts,
  isWhole: boolean,
  { losses, options: { direction }, resumed }: SyncFacts,
): string {
  const written = [
    ...(counts.copyWritten > 0 ? [`${count(counts.copyWritten, "key")} written to MongoDB`] : []),
    ...(counts.primaryWritten > 0 ? [`${count(counts.primaryWritten, "key")} written to KV`] : []),
    ...(counts.copyRemoved > 0 ? [`${count(counts.copyRemoved, "key")} removed from MongoDB`] : []),
    ...(counts.primaryRemoved > 0 ? [`${count(counts.primaryRemoved, "key")} removed from KV`] : []),
  ];
  const same = counts.equal + counts.agreed;
  const parts = [
    ...(same > 0 || written.length === 0 ? [`${count(same, "key")} equal`] : []),
    ...(written.length === 0 ? ["nothing had to be written"] : [`${written.join(", ")}, and read back`]),
  ];
  const gone = counts.marked + counts.missing;
  return [
    isWhole ? "In step:" : "Not all in step:",
    `${parts.join("; ")}.`,
    ...(resumed === undefined ? [] : [resumedSentence(resumed)]),
    ...(gone > 0 ? [goneText(gone, counts.marked, direction)] : []),
    ...(counts.expired > 0 ? [`${count(counts.expired, "key")} in MongoDB expired in KV.`] : []),
    ...(counts.conflicts > 0
      ? [
          `${count(counts.conflicts, "key")} ${counts.conflicts === 1 ? "differs" : "differ"} in a way that only you can decide: --on-conflict kv or mongodb.`,
        ]
      : []),
    ...(losses.counted > 0 && direction === "to copy" && counts.left > 0
      ? ["What MongoDB alone has or changed is written to KV by dualsync sync-kv --direction to-kv."]
      : []),
  ].join(" ");
}

function goneText(gone: number, marked: number, direction: SyncKvOptions["direction"]): string {
  const [stay, them] = gone === 1 ? ["stays", "it"] : ["stay", "them"];
  const newly = marked > 0 ? ` (${grouped(marked)} newly marked)` : "";
  const next =
    direction === "to primary" ? `--missing all writes ${them} to KV again` : `--delete removes ${them}`;
  return `${count(gone, "key")} gone from KV ${stay} in MongoDB${newly}; ${next}.`;
}

function resumedSentence({ since, settled, open }: UnfinishedRun): string {
  const named = open === 0 ? "" : `, of which ${grouped(open)} were named`;
  return `${count(settled.size, "key")} had been settled since ${minute(since)} UTC by the limited runs before this one${named}, and were not compared again.`;
}
