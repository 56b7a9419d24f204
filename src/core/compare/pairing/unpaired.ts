/** Collections that only one side has: one difference each, with the number of their documents. */

import type { CollectionInfo } from "../../../connectors/collection.ts";
import type { Reader } from "../../../connectors/contract.ts";
import type { ComparedCollection } from "../../../model/reporter.ts";
import { isOfOneCollection, reasonOf } from "../../concurrency/one-collection.ts";
import type { DiffRun } from "../diff-job.ts";
import type { Pairs } from "./pairs.ts";

export async function reportUnpaired(
  run: DiffRun,
  { missing, extra, lost }: Pairs,
): Promise<ComparedCollection[]> {
  const reported: ComparedCollection[] = [];
  const report = async (side: "source" | "target", info: CollectionInfo, to: string): Promise<void> => {
    const documents = await count(run[side], info, run.signal);
    reported.push(
      typeof documents === "string"
        ? await reportLost(run, { name: info.name, reason: documents, side })
        : await reportCollection(run, { side, info, to, documents }),
    );
  };
  for (const { from, to } of missing) await report("source", from, to);
  for (const info of extra) await report("target", info, info.name);
  for (const one of lost) reported.push(await reportLost(run, one));
  return reported;
}

/** What cannot be compared at all is never a part of what is identical. */
async function reportLost(
  run: DiffRun,
  { name, reason, side }: Pairs["lost"][number],
): Promise<ComparedCollection> {
  const { counted } = await run.report({
    key: `collection ${name}`,
    kind: "unreadable",
    sigil: "!",
    collection: name,
    targetCollection: name,
    detail: `in the ${side}: ${reason}`,
    fields: [],
    moreFields: 0,
    state: "stable",
    rounds: 1,
  });
  return {
    collection: name,
    target: name,
    kind: "collection",
    type: "collection",
    tier: "definition",
    ...NONE,
    sourceDocuments: 0,
    targetDocuments: 0,
    missing: 0,
    extra: 0,
    metadata: 0,
    complete: false,
    ...(counted
      ? { unreadable: 1, accepted: 0, verdict: "not compared" }
      : { accepted: 1, verdict: "accepted" }),
  };
}

const NONE = {
  equal: 0,
  equivalent: 0,
  changed: 0,
  moving: 0,
  unreadable: 0,
  settled: 0,
  expired: 0,
  behind: 0,
  diverged: 0,
};

interface Unpaired {
  readonly side: "source" | "target";
  readonly info: CollectionInfo;
  /** Its name in the target. */
  readonly to: string;
  readonly documents: number;
}

async function reportCollection(
  run: DiffRun,
  { side, info, to: target, documents }: Unpaired,
): Promise<ComparedCollection> {
  const { name: collection } = info;
  const holds =
    info.kind === "definition"
      ? `a ${info.type}`
      : `${documents} ${documents === 1 ? "document" : "documents"}`;
  const { counted } = await run.report({
    key: `collection ${collection}`,
    kind: "metadata",
    sigil: side === "source" ? "+" : "-",
    collection,
    targetCollection: target,
    detail: `only in the ${side} (${holds})`,
    fields: [],
    moreFields: 0,
    state: "stable",
    rounds: 1,
  });
  return {
    collection,
    target,
    kind: info.kind,
    type: info.type,
    tier: "definition",
    ...NONE,
    sourceDocuments: side === "source" ? documents : 0,
    targetDocuments: side === "target" ? documents : 0,
    missing: side === "source" && counted ? documents : 0,
    extra: side === "target" && counted ? documents : 0,
    metadata: counted ? 1 : 0,
    accepted: counted ? 0 : 1,
    complete: true,
    verdict: counted ? "different" : "accepted",
  };
}

/** How many documents it holds, or why that cannot be known of it alone. */
async function count(
  store: Reader,
  { name, kind }: CollectionInfo,
  signal: AbortSignal,
): Promise<number | string> {
  if (kind === "definition") return 0;
  try {
    return await store.count(name, {}, signal);
  } catch (error) {
    if (!isOfOneCollection(error)) throw error;
    return reasonOf(error);
  }
}
