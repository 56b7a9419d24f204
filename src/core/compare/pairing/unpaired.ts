/** Collections that only one side has: one difference each, with the number of their documents. */

import type { CollectionInfo } from "../../../connectors/collection.ts";
import type { Reader } from "../../../connectors/contract.ts";
import type { ComparedCollection } from "../../../model/reporter.ts";
import type { DiffRun } from "../diff-job.ts";
import type { Pairs } from "./pairs.ts";

export async function reportUnpaired(
  run: DiffRun,
  { missing, extra, lost }: Pairs,
): Promise<ComparedCollection[]> {
  const reported: ComparedCollection[] = [];
  for (const { from, to } of missing)
    reported.push(await reportCollection(run, "source", from, from.name, to));
  for (const info of extra) reported.push(await reportCollection(run, "target", info, info.name, info.name));
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

async function reportCollection(
  run: DiffRun,
  side: "source" | "target",
  info: CollectionInfo,
  collection: string,
  target: string,
): Promise<ComparedCollection> {
  const documents = await count(run[side], info, run.signal);
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

async function count(store: Reader, { name, kind }: CollectionInfo, signal: AbortSignal): Promise<number> {
  return kind === "definition" ? 0 : await store.count(name, {}, signal);
}
