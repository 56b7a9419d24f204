import { metadataDifferences } from "../explain/metadata.ts";
import type { DiffJob } from "./diff-job.ts";
import { tellOfCollection } from "./tell.ts";

/** Options, validators, indexes and views: looked at once, as they do not change by themselves. */
export async function compareMetadata(job: DiffJob): Promise<void> {
  const differences = metadataDifferences({
    source: job.from,
    target: job.to,
    renames: job.renames,
    sourceIndexes: job.indexes ? job.indexesOf.source : [],
    targetIndexes: job.indexes ? job.indexesOf.target : [],
  });
  for (const difference of differences) {
    const kind = difference.sigil === "!" ? "unreadable" : "metadata";
    await tellOfCollection(job, { ...difference, kind });
  }
}
