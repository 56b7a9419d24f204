/** The single documents that a person names, as reports print them. */
import { parseId } from "../../bson/parse-id.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { PlannedJob } from "../../core/plan/plan.ts";
import { find } from "../../core/walk/lookup.ts";
import { DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";

/** One that was named and that the copy does not have. */
export interface LostDocument {
  readonly key: string;
  readonly reason: string;
}

export interface ChosenDocuments {
  readonly jobs: readonly PlannedJob[];
  readonly lostDocuments: readonly LostDocument[];
  /** The same, as what is named where nothing can be restored. */
  readonly lost: readonly { readonly name: string; readonly reason: string }[];
}

/** In reports the key of a document begins so. */
const PREFIX = "document ";

/**
 * Limits the jobs to these documents; without any they stay as they are.
 * @throws DualsyncError `refused` for a name that is no document of these collections
 */
export async function choose(
  jobs: readonly PlannedJob[],
  names: readonly string[],
  source: Reader,
  signal: AbortSignal,
): Promise<ChosenDocuments> {
  if (names.length === 0) return { jobs, lostDocuments: [], lost: [] };
  const ids = new Map<PlannedJob, Map<string, DocumentId>>();
  for (const name of names) {
    const { job, id } = documentOf(jobs, name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
    const known = ids.get(job) ?? new Map<string, DocumentId>();
    ids.set(job, known.set(id.key, id));
  }
  const lostDocuments: LostDocument[] = [];
  const chosen: PlannedJob[] = [];
  for (const [job, named] of ids) {
    const all = [...named.values()];
    const there = await find(source, job.from, all, signal);
    const held = all.filter(({ key }) => there.has(key));
    if (held.length > 0) chosen.push({ ...job, ids: held });
    for (const name of names) {
      const found = documentOf(jobs, name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
      if (found.job === job && !there.has(found.id.key))
        lostDocuments.push({
          key: name.startsWith(PREFIX) ? name : PREFIX + name,
          reason: "the copy does not have it",
        });
    }
  }
  const lost = lostDocuments.map(({ key: name, reason }) => ({ name, reason }));
  return { jobs: chosen, lostDocuments, lost };
}

/** Of several collections whose names the text may begin with, the longest is meant. */
function documentOf(
  jobs: readonly PlannedJob[],
  text: string,
): { readonly job: PlannedJob; readonly id: DocumentId } {
  const fitting = jobs
    .filter(({ from, to }) => [from.name, to.name].some((name) => text.startsWith(`${name}/`)))
    .sort((a, b) => b.from.name.length - a.from.name.length);
  for (const job of fitting) {
    if (job.from.kind !== "collection") continue;
    const name = text.startsWith(`${job.from.name}/`) ? job.from.name : job.to.name;
    const element = parseId(text.slice(name.length + 1));
    if (element !== undefined) return { job, id: new DocumentId(element) };
  }
  throw new DualsyncError("refused", `${JSON.stringify(text)} names no document of the copy.`, {
    hint: "Nothing was restored. Write a collection, a slash and an id, as reports print them: orders/17, orders/65a0f0c2e4b0a1b2c3d4e5f6, 'notes/\"a b\"'.",
  });
}
