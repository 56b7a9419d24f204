import { metadataDifferences } from "../explain/metadata.ts";
import type { DiffJob } from "./diff-job.ts";

/** Options, validators, indexes and views: looked at once, as they do not change by themselves. */
export async function compareMetadata(job: DiffJob): Promise<void> {
  const differences = metadataDifferences({
    source: job.from,
    target: job.to,
    renames: job.renames,
    sourceIndexes: job.indexes ? job.indexesOf.source : [],
    targetIndexes: job.indexes ? job.indexesOf.target : [],
  });
  for (const { key, sigil, detail } of differences) {
    const { counted } = await job.tell({
      key,
      sigil,
      detail,
      kind: "metadata",
      collection: job.from.name,
      targetCollection: job.to.name,
      fields: [],
      moreFields: 0,
      state: "stable",
      rounds: 1,
    });
    job.progress.tally[counted ? "metadata" : "accepted"]++;
  }
}
