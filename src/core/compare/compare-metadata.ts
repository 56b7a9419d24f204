import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { isSameKind } from "../plan/plan.ts";
import type { DiffJob } from "./diff-job.ts";
import { reportOfCollection } from "./report-difference.ts";

/** Options, indexes and so on: looked at once, as they do not change by themselves. */
export async function compareMetadata(job: DiffJob): Promise<void> {
  const { source, target, from, to, renames } = job;
  const power = source.metadata;
  // Where one side has no options and indexes there is nothing to compare but what they are.
  if (power === undefined || target.metadata === undefined) {
    if (!isSameKind(from, to))
      await reportOfCollection(job, {
        key: `collection ${to.name}`,
        kind: "metadata",
        sigil: "*",
        detail: `kind: source ${from.type}, target ${to.type}`,
      });
    return;
  }
  const [sourceIndexes, targetIndexes] = await Promise.all([
    indexesOf(job, source, from),
    indexesOf(job, target, to),
  ]);
  const described = { source: from, target: to, renames, sourceIndexes, targetIndexes };
  for (const difference of power.differences(described)) {
    const kind = difference.sigil === "!" ? "unreadable" : "metadata";
    await reportOfCollection(job, { ...difference, kind });
  }
}

async function indexesOf({ indexes, signal }: DiffJob, store: Reader, { kind, name }: CollectionInfo) {
  return indexes && kind !== "definition" ? ((await store.metadata?.indexes(name, signal)) ?? []) : [];
}
