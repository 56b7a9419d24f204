import { printId } from "../../bson/print-id.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Difference, Sigil } from "../../model/reporter.ts";
import { type FieldDifferences, fieldDifferences } from "../explain/fields.ts";
import { namedDifferences } from "../explain/named-fields.ts";
import type { DiffCandidate } from "./candidate.ts";
import { classifyPair } from "./classify.ts";
import type { DiffJob, RawDifference } from "./diff-job.ts";
import type { Drift } from "./drift/detect-drift.ts";

const SIGILS: Readonly<Record<"missing" | "extra" | "changed" | "idtype" | "unreadable", Sigil>> = {
  missing: "+",
  extra: "-",
  changed: "*",
  idtype: "*",
  unreadable: "!",
};

export interface Confirmed {
  readonly state: "stable" | "moving";
  readonly source?: Doc | undefined;
  readonly target?: Doc | undefined;
  /** Why it could not be compared. */
  readonly unreadable?: string | undefined;
  readonly drift?: Drift | undefined;
}

/** Reports a difference of one document, and counts it if it is stable. */
export async function reportDocument(
  job: DiffJob,
  candidate: DiffCandidate,
  confirmed: Confirmed,
): Promise<void> {
  const { source, target, state, unreadable, drift } = confirmed;
  const kind = unreadable === undefined ? kindOf(candidate, confirmed) : "unreadable";
  const both = source !== undefined && target !== undefined;
  const { fields, more } = both ? fieldsOf(job, source, target) : { fields: [], more: 0 };
  const reported = await report(job, candidate.id, {
    kind,
    state,
    ...sidesOf(candidate),
    detail: unreadable,
    ...(both && classifyPair(job, source, target) === "lossy-equal" ? lossyOf(job) : {}),
    drift,
    fields,
    moreFields: more,
    rounds: candidate.rounds,
  });
  job.progress.tally[columnOf(reported)]++;
  if (reported.counted && reported.drift !== undefined) job.progress.tally[reported.drift]++;
}

function lossyOf({ equivalence }: DiffJob): Pick<RawDifference, "classification" | "detail"> {
  const what = equivalence?.lossy?.what ?? "what the copy cannot hold";
  return { classification: "lossy-equal", detail: `lossy-equal: the same except for ${what}` };
}

function fieldsOf({ equivalence, values }: DiffJob, expected: Doc, found: Doc): FieldDifferences {
  const names = equivalence?.differing({ expected, found });
  return names === undefined
    ? fieldDifferences(expected.bytes, found.bytes, { values })
    : namedDifferences(expected.bytes, found.bytes, names, { values, note: equivalence?.lossy?.note });
}

/** Reports the second of two documents under one `_id` on one side, which cannot be compared. @returns whether it counts */
export async function reportDuplicateId(
  job: DiffJob,
  id: DocumentId,
  side: "source" | "target",
): Promise<boolean> {
  const detail = `the ${side} holds two documents with this _id (on two shards?), so it cannot be compared`;
  const body = { kind: "unreadable", state: "stable", detail, fields: [], moreFields: 0, rounds: 1 } as const;
  return (await report(job, id, body)).counted;
}

type OfCollection = Pick<RawDifference, "key" | "kind" | "sigil"> & {
  readonly detail: string;
} & Partial<Pick<RawDifference, "state" | "rounds">>;

/** Reports a difference that is about a collection and not about one document of it, and counts it. @returns whether it counts */
export async function reportOfCollection(
  job: Pick<DiffJob, "from" | "to" | "report" | "progress">,
  body: OfCollection,
): Promise<boolean> {
  const names = { collection: job.from.name, targetCollection: job.to.name };
  const reported = await job.report({
    ...names,
    fields: [],
    moreFields: 0,
    state: "stable",
    rounds: 1,
    ...body,
  });
  job.progress.tally[columnOf(reported)]++;
  return reported.counted;
}

type Body = Omit<RawDifference, "key" | "sigil" | "collection" | "targetCollection" | "id" | "kind"> & {
  readonly kind: keyof typeof SIGILS;
};

function report(job: DiffJob, id: DocumentId, body: Body): Promise<Difference> {
  const printed = printId(id.element);
  const difference = {
    key: `document ${job.from.name}/${printed}`,
    sigil: SIGILS[body.kind],
    collection: job.from.name,
    targetCollection: job.to.name,
    id: printed,
    ...body,
  };
  return job.report(difference, id);
}

/** Where a difference is counted. */
function columnOf({ counted, kind, state }: Difference) {
  if (!counted) return "accepted";
  if (kind === "unreadable") return "unreadable";
  if (state === "moving") return "moving";
  return kind === "missing" || kind === "extra" || kind === "metadata" ? kind : "changed";
}

function kindOf({ observation }: DiffCandidate, { source, target }: Confirmed): keyof typeof SIGILS {
  if (observation.target === undefined) return "missing";
  if (observation.source === undefined) return "extra";
  const sameId =
    source === undefined ||
    target === undefined ||
    Buffer.compare(source.id.element, target.id.element) === 0;
  return sameId ? "changed" : "idtype";
}

function sidesOf({ observation }: DiffCandidate): Pick<RawDifference, "source" | "target"> {
  return {
    source: observation.source,
    target: observation.target,
  };
}
