import { printId } from "../../bson/print-id.ts";
import type { Doc, DocumentId } from "../../document.ts";
import type { Difference, Sigil } from "../../reporting/reporter.ts";
import { type Fields, fieldDifferences } from "../explain/fields.ts";
import { namedDifferences } from "../explain/named-fields.ts";
import { alike } from "./alike.ts";
import type { Since } from "./assignment.ts";
import type { DiffJob, Told } from "./diff-job.ts";
import type { Suspect } from "./suspect.ts";

const SIGILS: Readonly<Record<"missing" | "extra" | "changed" | "idtype" | "unreadable", Sigil>> = {
  missing: "+",
  extra: "-",
  changed: "*",
  idtype: "*",
  unreadable: "!",
};

const LOSSY = {
  likeness: "lossy-equal",
  detail: "lossy-equal: the same but for the microseconds of a time",
} as const;

export interface Confirmed {
  readonly state: "stable" | "moving";
  readonly source?: Doc | undefined;
  readonly target?: Doc | undefined;
  /** Why it could not be compared. */
  readonly unreadable?: string;
  readonly since?: Since | undefined;
}

/** Tells a difference of one document, and counts it if it is stable. */
export async function tellDocument(job: DiffJob, suspect: Suspect, confirmed: Confirmed): Promise<void> {
  const { source, target, state, unreadable, since } = confirmed;
  const kind = unreadable === undefined ? kindOf(suspect, confirmed) : "unreadable";
  const both = source !== undefined && target !== undefined;
  const { fields, more } = both ? fieldsOf(job, source, target) : { fields: [], more: 0 };
  const told = await tell(job, suspect.id, {
    kind,
    state,
    ...sidesOf(suspect),
    ...(unreadable === undefined ? {} : { detail: unreadable }),
    ...(both && alike(job, source, target) === "lossy-equal" ? LOSSY : {}),
    ...(since === undefined ? {} : { since }),
    fields,
    moreFields: more,
    rounds: suspect.rounds,
  });
  job.progress.tally[columnOf(told)]++;
  if (told.counted && told.since !== undefined) job.progress.tally[told.since]++;
}

function fieldsOf({ judge, values }: DiffJob, expected: Doc, found: Doc): Fields {
  const names = judge?.differing({ expected, found });
  return names === undefined
    ? fieldDifferences(expected.bytes, found.bytes, { values })
    : namedDifferences(expected.bytes, found.bytes, names, { values });
}

/** Tells of the second of two documents under one `_id` on one side, which cannot be compared. @returns whether it counts */
export async function tellTwin(job: DiffJob, id: DocumentId, side: "source" | "target"): Promise<boolean> {
  const detail = `the ${side} holds two documents with this _id (on two shards?), so that it cannot be compared`;
  const body = { kind: "unreadable", state: "stable", detail, fields: [], moreFields: 0, rounds: 1 } as const;
  return (await tell(job, id, body)).counted;
}

type OfCollection = Pick<Told, "key" | "kind" | "sigil"> & {
  readonly detail: string;
} & Partial<Pick<Told, "state" | "rounds">>;

/** Tells a difference that is about a collection and not about one document of it, and counts it. @returns whether it counts */
export async function tellOfCollection(
  job: Pick<DiffJob, "from" | "to" | "tell" | "progress">,
  body: OfCollection,
): Promise<boolean> {
  const names = { collection: job.from.name, targetCollection: job.to.name };
  const told = await job.tell({ ...names, fields: [], moreFields: 0, state: "stable", rounds: 1, ...body });
  job.progress.tally[columnOf(told)]++;
  return told.counted;
}

type Body = Omit<Told, "key" | "sigil" | "collection" | "targetCollection" | "id" | "kind"> & {
  readonly kind: keyof typeof SIGILS;
};

function tell(job: DiffJob, id: DocumentId, body: Body): Promise<Difference> {
  const printed = printId(id.element);
  const difference = {
    key: `document ${job.from.name}/${printed}`,
    sigil: SIGILS[body.kind],
    collection: job.from.name,
    targetCollection: job.to.name,
    id: printed,
    ...body,
  };
  return job.tell(difference, id);
}

/** Where a difference is counted. */
function columnOf({ counted, kind, state }: Difference) {
  if (!counted) return "accepted";
  if (kind === "unreadable") return "unreadable";
  if (state === "moving") return "moving";
  return kind === "missing" || kind === "extra" || kind === "metadata" ? kind : "changed";
}

function kindOf({ sight }: Suspect, { source, target }: Confirmed): keyof typeof SIGILS {
  if (sight.target === undefined) return "missing";
  if (sight.source === undefined) return "extra";
  const sameId =
    source === undefined ||
    target === undefined ||
    Buffer.compare(source.id.element, target.id.element) === 0;
  return sameId ? "changed" : "idtype";
}

function sidesOf({ sight }: Suspect): Pick<Told, "source" | "target"> {
  return {
    ...(sight.source === undefined ? {} : { source: sight.source }),
    ...(sight.target === undefined ? {} : { target: sight.target }),
  };
}
