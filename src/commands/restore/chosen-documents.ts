/** The single documents that a person names, as reports print them. */
import { parseId } from "../../bson/parse-id.ts";
import type { Reader } from "../../connectors/contract.ts";
import { chunksOf } from "../../core/concurrency/chunks.ts";
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

interface Named {
  readonly name: string;
  readonly id: DocumentId;
}

/** Documents that are asked for at once: they may be large. */
const IDS = { count: 100, bytes: 64_000 };

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
  const byName = jobsByName(jobs);
  const named = new Map<PlannedJob, Named[]>();
  for (const name of names) {
    const { job, id } = documentOf(byName, name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
    const others = named.get(job);
    if (others === undefined) named.set(job, [{ name, id }]);
    else others.push({ name, id });
  }
  // A store that cannot be asked for documents is read as a whole each time.
  const limits = source.lookup === undefined ? { count: names.length, bytes: Number.POSITIVE_INFINITY } : IDS;
  const lostDocuments: LostDocument[] = [];
  const chosen: PlannedJob[] = [];
  for (const [job, all] of named) {
    const held = new Map<string, DocumentId>();
    for (const some of chunksOf(all, ({ id }) => id.element.length, limits)) {
      const ids = some.map(({ id }) => id);
      const there = await find(source, job.from, ids, signal);
      for (const { name, id } of some) {
        if (there.has(id.key)) held.set(id.key, id);
        else
          lostDocuments.push({
            key: name.startsWith(PREFIX) ? name : PREFIX + name,
            reason: "the copy does not have it",
          });
      }
    }
    if (held.size > 0) chosen.push({ ...job, ids: [...held.values()] });
  }
  const lost = lostDocuments.map(({ key: name, reason }) => ({ name, reason }));
  return { jobs: chosen, lostDocuments, lost };
}

/** By the names of their collections, on both sides. */
function jobsByName(jobs: readonly PlannedJob[]): ReadonlyMap<string, readonly PlannedJob[]> {
  const found = new Map<string, PlannedJob[]>();
  for (const job of jobs)
    for (const name of new Set([job.from.name, job.to.name]))
      found.set(name, [...(found.get(name) ?? []), job]);
  return found;
}

/** Of several collections whose names the text may begin with, the longest is meant. */
function documentOf(
  jobs: ReadonlyMap<string, readonly PlannedJob[]>,
  text: string,
): { readonly job: PlannedJob; readonly id: DocumentId } {
  const fitting: PlannedJob[] = [];
  for (let end = text.indexOf("/"); end >= 0; end = text.indexOf("/", end + 1))
    fitting.push(...(jobs.get(text.slice(0, end)) ?? []));
  fitting.sort((a, b) => b.from.name.length - a.from.name.length);
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
