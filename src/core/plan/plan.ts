import type { CollectionInfo, Filter, Listing } from "../../connectors/collection.ts";
import type { MetadataPower, Renamed } from "../../connectors/powers/metadata.ts";
import type { StoreWords } from "../../connectors/words.ts";
import type { NotReproduced } from "../../connectors/write-outcome.ts";
import type { NotCopied } from "../../model/collection.ts";
import type { DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { AdoptionPreview, Plan, PlannedCollection } from "../../model/reporter.ts";
import { isShrunken, shrinkError } from "./shrink.ts";

/** What of the source is wanted, and under which names. */
export interface Wanted {
  /** Names chosen by include and exclude; every name when nothing was said. */
  readonly selects: (name: string) => boolean;
  /** Names left out, whatever is included; none without it. */
  readonly excludes?: ((name: string) => boolean) | undefined;
  /** Old name → new name. */
  readonly renames: ReadonlyMap<string, string>;
  /** The same, where the source has such a collection and none of the new name, and nothing else was said. */
  readonly usualRenames?: ReadonlyMap<string, string> | undefined;
  readonly filters: ReadonlyMap<string, Filter>;
}

/** Documents of both sides of a collection. */
export interface ComparedDocuments {
  readonly equal: number;
  /** They say the same with other bytes. */
  readonly equivalent: number;
  /** They differ, and stay as they are. */
  readonly kept: number;
  /** Only the target has them. */
  readonly extra: number;
}

export interface PlannedJob {
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  /** What of its definition may not mean in the target what it means in the source. */
  readonly doubts: readonly NotReproduced[];
  readonly filter?: Filter | undefined;
  /** Only these documents are copied. */
  readonly ids?: readonly DocumentId[] | undefined;
  /** What comparing has shown, where nothing of it is to be changed: it is not read again. */
  readonly compared?: ComparedDocuments | undefined;
  /** Only what was changed since then is read. */
  readonly since?: Date | undefined;
  /** With `since`: how many documents the target held when the last run ended. */
  readonly heldBefore?: number | undefined;
}

export interface PlanOptions {
  readonly command: string;
  readonly source: string;
  readonly target: string;
  readonly delete: boolean;
  readonly allowShrink: boolean;
  readonly dryRun: boolean;
  readonly notes: readonly string[];
  /** See `StoreWords`. */
  readonly sequences?: string | undefined;
  /** Of a target that keeps its copies: so many stay. */
  readonly keep?: number | undefined;
}

/** What should be copied, and what is left out. */
export interface Jobs {
  readonly jobs: readonly PlannedJob[];
  readonly notCopied: readonly NotCopied[];
  /** Of what is not copied: what was wanted, and cannot be. */
  readonly lost: readonly NotCopied[];
  /** The names that the copies of these have, or would have. */
  readonly copies: ReadonlySet<string>;
}

export const NOT_CHOSEN = "left out by --include or --exclude";

/** What the stores know of names. */
export interface Naming {
  /** Gives a collection its new name, and follows the new names of others. */
  readonly renamed?: MetadataPower["renamed"] | undefined;
  /** Why the target can have no such collection under its name, in words that follow it. */
  readonly nameProblem?: ((collection: CollectionInfo) => string | undefined) | undefined;
}

function withNewName(info: CollectionInfo, renames: ReadonlyMap<string, string>): Renamed {
  return { info: { ...info, name: renames.get(info.name) ?? info.name }, uncertain: new Map() };
}

/**
 * Holds what is wanted against what the source has. Pure: nothing is read here.
 * @throws DualsyncError `refused` when the wish cannot be fulfilled without harm
 */
export function chooseJobs(
  source: Listing,
  wanted: Wanted,
  { renamed = withNewName, nameProblem = () => undefined }: Naming = {},
): Jobs {
  assertKnown(source, [...wanted.renames.keys(), ...wanted.filters.keys()]);
  const renames = renamesFor(source, wanted);
  const jobs: PlannedJob[] = [];
  const left: NotCopied[] = source.notCopied.map((one) =>
    one.isLoss === true && !wanted.selects(one.name) ? { name: one.name, reason: NOT_CHOSEN } : one,
  );
  left.push(...(source.unselected ?? []).map(({ name }) => ({ name, reason: NOT_CHOSEN })));
  for (const from of source.collections) {
    if (!wanted.selects(from.name)) {
      left.push({ name: from.name, reason: NOT_CHOSEN });
      continue;
    }
    const filter = wanted.filters.get(from.name);
    const { info: to, uncertain } = renamed(from, renames);
    const problem = nameProblem(to);
    if (problem !== undefined) {
      const name = to.name === from.name ? "its name" : "its new name";
      left.push({
        name: from.name,
        reason: `${name} ${problem}: give it another one with --rename`,
        isLoss: true,
      });
      continue;
    }
    const unsure = [...uncertain].map(([option, reason]) => ({ key: `option ${to.name}/${option}`, reason }));
    const part =
      from.partial === undefined ? [] : [{ key: `rest of collection ${from.name}`, reason: from.partial }];
    const doubts = [...part, ...(from.doubts ?? []), ...unsure];
    jobs.push({ from, to, doubts, filter });
  }
  assertDistinctTargets(jobs);
  const lost = left.filter(({ isLoss }) => isLoss === true);
  const copies = new Set(lost.map(({ name }) => renames.get(name) ?? name));
  return { jobs, notCopied: left, lost, copies };
}

/** The same without what would be copied into a collection that the target has and cannot show: nobody knows what it holds. */
export function withoutUnreadable({ jobs, notCopied, lost, copies }: Jobs, target: Listing): Jobs {
  const closed = new Map(unreadable(target).map(({ name, reason }) => [name, reason]));
  const isClosed = ({ to }: PlannedJob): boolean => closed.has(to.name);
  const more = jobs.filter(isClosed).map(
    ({ from, to }): NotCopied => ({
      name: from.name,
      reason: `in the target: ${closed.get(to.name)}`,
      isLoss: true,
    }),
  );
  return {
    jobs: jobs.filter((job) => !isClosed(job)),
    notCopied: [...notCopied, ...more],
    lost: [...lost, ...more],
    copies: new Set([...copies, ...jobs.filter(isClosed).map(({ to }) => to.name)]),
  };
}

function assertDistinctTargets(jobs: readonly PlannedJob[]): void {
  const names = new Set<string>();
  for (const { to } of jobs) {
    if (names.has(to.name))
      throw refuse(
        `Two collections would be copied into ${JSON.stringify(to.name)}.`,
        "Give each its own name with --rename.",
      );
    names.add(to.name);
  }
}

function byName({ collections }: Listing): ReadonlyMap<string, CollectionInfo> {
  return new Map(collections.map((collection) => [collection.name, collection]));
}

function assertKnown(source: Listing, names: readonly string[]): void {
  const known = new Set(namesOf(source));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new DualsyncError(
    "refused",
    `The source has no collection ${unknown.map((name) => JSON.stringify(name)).join(", ")}.`,
    {
      hint: "Nothing was changed. Check the names in --rename and --filter.",
    },
  );
}

/** All renames that hold for this source. */
export function renamesFor(source: Listing, wanted: Wanted): ReadonlyMap<string, string> {
  const names = new Set(namesOf(source));
  const taken = new Set(wanted.renames.values());
  const usual = [...(wanted.usualRenames ?? [])].filter(
    ([from, to]) => names.has(from) && !names.has(to) && !taken.has(to),
  );
  return new Map([...usual, ...wanted.renames]);
}

/** What is there, would be copied, and cannot be read. It never counts as gone. */
export function unreadable({ notCopied }: Listing): readonly NotCopied[] {
  return notCopied.filter(({ isLoss }) => isLoss === true);
}

/** Of what can be copied, and of what is there and cannot be read; whether it was selected or not. */
export function namesOf(listing: Listing): readonly string[] {
  const { collections, unselected = [] } = listing;
  return [...collections, ...unselected, ...unreadable(listing)].map(({ name }) => name);
}

/** All that a run between these may name: also what is never copied, and what a copy would be called in the source. */
export function mentionable(source: Listing, target: Listing, wanted: Wanted): readonly string[] {
  const copies = target.collections.flatMap(({ name }) => namesInSource(name, wanted));
  const never = [source, target].flatMap(({ notCopied }) => notCopied.map(({ name }) => name));
  return [...namesOf(source), ...namesOf(target), ...copies, ...never];
}

/** The names that a collection of the target may have in the source. */
export function namesInSource(name: string, { renames, usualRenames = new Map() }: Wanted): string[] {
  return [name, ...[...renames, ...usualRenames].filter(([, to]) => to === name).map(([from]) => from)];
}

/**
 * What cannot be copied is named, and is not nothing.
 * @throws DualsyncError `refused` when the source holds nothing of what is wanted
 */
export function assertSomething(
  jobs: readonly PlannedJob[],
  lost: readonly NotCopied[],
  source: string,
  { whenEmpty }: Pick<StoreWords, "whenEmpty">,
): void {
  if (jobs.length + lost.length > 0) return;
  throw new DualsyncError("refused", `The source ${source} has nothing to copy.`, {
    hint: `Nothing was changed. ${whenEmpty} Check --include and --exclude.`,
  });
}

/** @throws DualsyncError `refused` when the jobs cannot be done on this target without harm */
export function assertFits(
  jobs: readonly PlannedJob[],
  target: Listing,
  options: Pick<PlanOptions, "source" | "delete" | "allowShrink">,
  { hidden }: Pick<StoreWords, "hidden"> = {},
): void {
  const there = byName(target);
  for (const { from, to, filter } of jobs) {
    const existing = there.get(to.name);
    if (existing === undefined) continue;
    if (!isSameKind(existing, from)) {
      throw refuse(
        `${JSON.stringify(to.name)} is a ${from.type} in the source and a ${existing.type} in the target.`,
        "Give it another name with --rename, or leave it out with --exclude.",
      );
    }
    if (options.delete && from.documents === 0 && existing.documents > 0) {
      throw refuse(
        `${JSON.stringify(from.name)} is empty in the source and holds ${existing.documents} documents in the target: --delete would remove them all.`,
        "If this is intended, drop the collection on the target by hand, or leave it out with --exclude.",
      );
    }
    if (!options.allowShrink && isInDoubt(from, existing)) {
      throw refuse(
        `${JSON.stringify(from.name)} ${hidden?.givesNothing ?? "gives nothing"}, and the target holds ${existing.documents} documents: ${hidden?.whyEmpty ?? "it may be hidden"}.`,
        `${hidden?.look ?? "Look at the source."} If it really is empty, add --allow-shrink; nothing is removed without --delete.`,
      );
    }
    const selective = filter !== undefined; // then the whole collection's number says nothing
    if (
      options.delete &&
      !options.allowShrink &&
      !selective &&
      isShrunken(from.documents, existing.documents)
    )
      throw shrinkError(from.name, from.documents, existing.documents, "Nothing was changed.");
  }
}

/** Whether one can hold what the other holds, in the same way. */
export function isSameKind(a: CollectionInfo, b: CollectionInfo): boolean {
  return a.kind === b.kind && (a.kind !== "sequence" || a.type === b.type);
}

/** Nothing came of what the copy holds documents of, and that may be because it is hidden. */
export function isInDoubt(from: CollectionInfo, copy: CollectionInfo): boolean {
  return from.mayBeHidden === true && from.documents === 0 && copy.documents > 0;
}

function refuse(message: string, hint: string): DualsyncError {
  return new DualsyncError("refused", message, { hint: `Nothing was changed. ${hint}` });
}

/** The plan as it is shown; `found` is what comparing has shown of collections that are not known to be copies. */
export function makePlan(
  { jobs, notCopied, copies }: Pick<Jobs, "jobs" | "notCopied" | "copies">,
  target: Listing,
  found: ReadonlyMap<string, AdoptionPreview>,
  options: PlanOptions,
): Plan {
  const there = byName(target);
  const collections = jobs.map(({ from, to }): PlannedCollection => {
    const existing = there.get(to.name);
    const hasDocuments = from.kind !== "definition";
    const compared = found.get(to.name);
    return {
      source: from.name,
      target: to.name,
      kind: from.kind,
      type: from.type,
      documents: hasDocuments ? from.documents : undefined,
      bytes: hasDocuments ? from.bytes : undefined,
      action: !hasDocuments
        ? "define"
        : existing === undefined
          ? "create"
          : existing.documents === 0
            ? "fill"
            : "update",
      targetDocuments: existing?.documents ?? 0,
      found: compared,
    };
  });
  const sum = (value: (job: PlannedJob) => number): number =>
    jobs.reduce((total, job) => total + value(job), 0);
  return {
    command: options.command,
    source: options.source,
    target: options.target,
    collections,
    notCopied,
    documents: sum(({ from }) => from.documents),
    bytes: sum(({ from }) => from.bytes),
    estimatedTargetBytes: sum(({ from, to }) => Math.max(0, from.bytes - (there.get(to.name)?.bytes ?? 0))),
    notes: [
      ...changes(collections, options),
      ...onlyThere({ jobs, copies }, target),
      ...doubtNotes(jobs),
      ...options.notes,
    ],
    dryRun: options.dryRun,
  };
}

/** What will not be as it was, a sentence each. */
export function doubtNotes(jobs: readonly PlannedJob[]): string[] {
  return jobs.flatMap(({ doubts }) => doubts.map(({ key, reason }) => `${key}: ${reason}.`));
}

/** Collections of the target that no job writes to, except copies of what cannot be read. */
function onlyThere({ jobs, copies }: Pick<Jobs, "jobs" | "copies">, target: Listing): string[] {
  const known = new Set([...jobs.map(({ to }) => to.name), ...copies]);
  const others = target.collections.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (others.length === 0) return [];
  return [`Only in the target, and kept: ${someOf(others)}.`];
}

/** Names for a sentence: the first ten, and how many there are besides. */
export function someOf(names: readonly string[]): string {
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return `${names.slice(0, 10).join(", ")}${more}`;
}

function changes(collections: readonly PlannedCollection[], options: PlanOptions): string[] {
  const updates = collections.filter(({ action }) => action === "update").length;
  const notes: string[] = [];
  if (updates > 0) {
    const some =
      updates === 1 ? "1 collection of the target holds" : `${updates} collections of the target hold`;
    notes.push(
      `${some} documents: those that differ from the source's are replaced, except those that are newer in the target.`,
    );
  }
  notes.push(removalNote(options));
  if (collections.some(({ kind, action }) => action === "update" && kind === "sequence")) {
    notes.push(
      `${options.sequences ?? "Collections without an _id"} that differ are dropped on the target and copied again as a whole.`,
    );
  }
  notes.push(
    "The copy is not a point-in-time snapshot if the source is written to meanwhile: each document is as it was at some moment of the run.",
  );
  return notes;
}

function removalNote(options: PlanOptions): string {
  if (options.delete)
    return "Documents of these collections that the source no longer has are removed from the target (--delete).";
  if (options.keep === undefined) return "Nothing is removed from the target.";
  return `Once this copy is whole, earlier ones are removed of which ${options.keep === 1 ? "a newer one holds" : `${options.keep} newer ones hold`} the same collections (--keep ${options.keep}).`;
}
