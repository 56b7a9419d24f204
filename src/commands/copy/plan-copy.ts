/** What a run that copies would do: everything is looked at, and what must not be done is refused. */
import type { Location } from "../../connectors/connector.ts";
import type { Reader } from "../../connectors/contract.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { previewAdoption } from "../../core/compare/preview.ts";
import { isOfOneCollection } from "../../core/concurrency/one-collection.ts";
import {
  assertManaged,
  assertNotHalfRestored,
  assertNotSwapped,
  unmanagedJobs,
} from "../../core/plan/guards.ts";
import {
  assertFits,
  assertSomething,
  chooseJobs,
  makePlan,
  mentionable,
  type Naming,
  namesOf,
  type PlannedJob,
  renamesFor,
  withoutUnreadable,
} from "../../core/plan/plan.ts";
import { assertFitsInto, sizeOf } from "../../core/plan/size-limit.ts";
import { lookAt, type StoreSnapshot } from "../../core/plan/snapshot.ts";
import { goneSince, hiddenBeside, vanished, vanishedLosses } from "../../core/plan/vanished.ts";
import type { SavedRun } from "../../core/progress/saved-run.ts";
import type { NotCopied } from "../../model/collection.ts";
import type { AdoptionPreview, Plan } from "../../model/reporter.ts";
import type { RunContext } from "../command.ts";
import { savedFirst } from "../run/backup-notice.ts";
import { assertMatches } from "../run/selection.ts";
import type { Stores } from "../run/stores.ts";
import type { CopyingOptions } from "./copy-options.ts";
import { findSaved, resumedOf } from "./resume.ts";
import { chooseSince } from "./since.ts";

export interface PlannedRun {
  readonly plan: Plan;
  readonly jobs: readonly PlannedJob[];
  /** What was selected in the source, and cannot be copied; and what was copied before and is no longer listed. */
  readonly lost: readonly NotCopied[];
  /** What a later run is to miss, and this one is not to copy. */
  readonly unselected: readonly NotCopied[];
  /** Names in the source → names in the target. */
  readonly renames: ReadonlyMap<string, string>;
  /** What an interrupted run has done. */
  readonly saved?: SavedRun | undefined;
  /** Bytes that the target's database takes up. */
  readonly used: number;
  /** When it was made, by the clock of a source whose documents say when they were changed. */
  readonly time?: Date | undefined;
}

/** @throws DualsyncError `refused` where a guard objects; `local` where the state of an interrupted run cannot be read */
export async function planRun(
  stores: Stores,
  options: CopyingOptions,
  context: RunContext,
): Promise<PlannedRun> {
  const { signal } = context;
  // Before anything is read: what is changed later bears a later time, by the clock of who writes it down.
  const { time } = stores.source.changes === undefined ? {} : await stores.source.identity(signal);
  const { wanted } = options;
  const [source, target] = await Promise.all([
    lookAt(stores.source, signal, wanted.selects),
    lookAt(stores.target, signal),
  ]);
  const exclude = mentionable(source.listing, target.listing, wanted);
  assertMatches(options, { include: namesOf(source.listing), exclude }, [stores.source]);
  const objections: string[] = [];
  const planOptions = {
    command: options.command,
    source: source.label,
    target: target.label,
    delete: options.delete,
    allowShrink: options.allowShrink,
    dryRun: options.dryRun,
    sequences: stores.target.words.sequences,
    keep: options.keep,
  };
  assertNotHalfRestored(source);
  assertNotSwapped(source, target, options.intoExisting);
  const naming = { renamed: stores.source.metadata?.renamed, nameProblem: nameProblem(stores, options) };
  const chosenJobs = chooseJobs(source.listing, wanted, naming);
  const { notCopied, jobs, lost, copies } = withoutUnreadable(chosenJobs, target.listing);
  const { documents } = stores.source.words;
  const since = chooseSince(jobs, options.since, source, target, documents);
  // Where nothing is hidden, what is no longer listed was dropped or renamed there.
  const hides = stores.source.hiding !== undefined;
  const gone = hides ? vanished({ jobs, copies }, source, target, wanted) : [];
  const known = { jobs, copies: new Set([...copies, ...gone]) };
  const beside = { source: stores.source, listing: target.listing };
  const hidden = await hiddenBeside(known, beside, wanted, signal);
  const kept = (await stores.target.keptCopies?.list(signal)) ?? [];
  const before = await goneSince(kept, { jobs, notCopied }, stores.source, wanted, signal);
  const goneLosses = [
    ...(await vanishedLosses(gone, { source: stores.source, notCopied }, wanted, signal)),
    ...hidden.values(),
    ...before.losses,
  ];
  const chosen = {
    notCopied: [
      ...notCopied.filter(({ name }) => !goneLosses.some((loss) => loss.name === name)),
      ...goneLosses,
    ],
    copies: new Set([...known.copies, ...hidden.keys()]),
    jobs: since.jobs.map((job) => asOrdered(job, target)),
  };
  assertSomething(chosen.jobs, [...lost, ...goneLosses], source.label, stores.source.words);
  assertFits(chosen.jobs, target.listing, planOptions, stores.source.words);
  const foreign = unmanagedJobs(chosen.jobs, source, target);
  if (!options.intoExisting) assertManaged(foreign, source, target, databaseOf(options.to));
  const saved = await findSaved(options, target.history, (reason) => objections.push(reason));
  const found = await compareAll(stores, foreign, target, context);
  const saving = savedFirst(chosen.jobs, target, options.delete);
  const notes = [
    ...adoption(found),
    ...saving,
    ...objections,
    ...since.notes,
    ...before.notes,
    ...remarks(options),
  ];
  notes.push(...withoutDocuments(chosen.jobs, stores.source), ...restoreDoubts(chosen.jobs, stores));
  const made = makePlan(chosen, target.listing, found, { ...planOptions, notes });
  const resumed = resumedOf(saved, chosen.jobs, target.listing);
  const plan = resumed === undefined ? made : { ...made, resumed };
  const used = await checkSizeLimit(stores.target, options, plan, signal);
  const { unselected } = before;
  // What is hidden has its usual name there, too.
  const named = { ...source.listing, notCopied: [...source.listing.notCopied, ...goneLosses] };
  const renames = renamesFor(named, wanted);
  return { plan, jobs: chosen.jobs, lost: [...lost, ...goneLosses], unselected, renames, used, time, saved };
}

function nameProblem({ target }: Stores, { from, to }: CopyingOptions): Naming["nameProblem"] {
  // What comes from a store of the same kind has a name that this one takes, if there is room for it.
  const ofKind = from.kind === to.kind ? undefined : connectorOf(to).nameProblem;
  return (collection) => ofKind?.(collection.name) ?? target.metadata?.nameProblem?.(collection);
}

/** A collection that is there already may come in another order than a copy would. */
function asOrdered(job: PlannedJob, { listing }: StoreSnapshot): PlannedJob {
  const there = listing.collections.find(({ name }) => name === job.to.name);
  return there === undefined ? job : { ...job, to: { ...job.to, ordered: there.ordered } };
}

/** Documents that are hidden look like none. */
function withoutDocuments(jobs: readonly PlannedJob[], { words: { hidden } }: Reader): string[] {
  const empty = jobs
    .filter(({ from }) => from.mayBeHidden === true && from.documents === 0)
    .map(({ from }) => from.name);
  if (empty.length === 0 || hidden === undefined) return [];
  return [`${hidden.seesNothing} ${empty.join(", ")}. ${hidden.ifNotSo}`];
}

/** What would be in the way of a restore, said while the source is there. */
function restoreDoubts(jobs: readonly PlannedJob[], { source, target }: Stores): readonly string[] {
  if (target.keptBlueprints === undefined) return [];
  return source.blueprints?.doubts(jobs.map(({ from }) => from.name)) ?? [];
}

/** What is in the target already is compared before anybody decides that it may be replaced. */
async function compareAll(
  { source, target }: Stores,
  jobs: readonly PlannedJob[],
  { listing }: StoreSnapshot,
  { reporter, signal }: RunContext,
): Promise<ReadonlyMap<string, AdoptionPreview>> {
  const there = new Map(listing.collections.map((collection) => [collection.name, collection]));
  const found = new Map<string, AdoptionPreview>();
  for (const job of jobs) {
    const to = there.get(job.to.name) ?? job.to;
    reporter.note(`Comparing ${to.name} with what the target holds.`);
    try {
      found.set(to.name, await previewAdoption({ ...job, source, target, to, signal }));
    } catch (error) {
      // The run itself looks again, and names it.
      if (!isOfOneCollection(error)) throw error;
      reporter.note(`${to.name} could not be compared: ${error.message}`);
    }
  }
  return found;
}

function adoption(found: ReadonlyMap<string, AdoptionPreview>): string[] {
  return [...found].flatMap(([name, { different, examples }]) => {
    if (different === 0) return [];
    const some =
      different === 1 ? "1 document differs" : `${different.toLocaleString("en-US")} documents differ`;
    const shown = different > examples.length ? `for example ${examples.join(", ")}` : examples.join(", ");
    return [`${name}: ${some} from the source's and would be replaced: ${shown}.`];
  });
}

async function checkSizeLimit(
  target: Reader,
  { maxTargetSize }: CopyingOptions,
  plan: Plan,
  signal: AbortSignal,
): Promise<number> {
  if (maxTargetSize === undefined) return 0;
  const used = await sizeOf(target, signal);
  assertFitsInto(maxTargetSize, used, plan.estimatedTargetBytes, plan.target);
  return used;
}

function remarks({ from, to, verify, indexes }: CopyingOptions): string[] {
  const [source, target] = [connectorOf(from), connectorOf(to)];
  const hosts = [source.place(from), target.place(to)].map((place) => [...place.hosts].sort().join());
  const sameServer = from.kind === to.kind && hosts[0] === hosts[1];
  return [
    ...(sameServer
      ? [
          "Source and target are on the same server: the copy doubles the space used there and would be lost with it.",
        ]
      : []),
    ...(verify === "content"
      ? []
      : [`The copy is not read back (--verify ${verify}). Leave the flag out to verify it byte for byte.`]),
    ...(indexes || !source.hasMetadata ? [] : ["Indexes are not built (--no-indexes)."]),
  ];
}

function databaseOf(location: Location): string {
  return connectorOf(location).place(location).database;
}
