/** What a run that copies would do: everything is looked at, and what must not be done is refused. */
import type { NotCopied, Source, Target } from "../connectors/connector.ts";
import { compare } from "../core/compare.ts";
import { type Before, foreignJobs, mustBeOurs, mustNotBeSwapped } from "../core/guard.ts";
import { chooseJobs, makePlan, mustFit, type PlannedJob, unreadable } from "../core/plan.ts";
import { mustFitInto } from "../core/room.ts";
import type { SavedRun } from "../core/saved-run.ts";
import { hiddenBeside, vanished, vanishedLosses } from "../core/vanished.ts";
import type { Found, Plan } from "../reporting/reporter.ts";
import type { RunContext } from "./command.ts";
import type { CopyingOptions } from "./copying-options.ts";
import { findSaved, resumedOf } from "./resume.ts";
import { savedFirst } from "./saved-first.ts";
import { mustMatch } from "./selection.ts";
import { chooseSince } from "./since.ts";
import type { Stores } from "./stores.ts";

export interface PlannedRun {
  readonly plan: Plan;
  readonly jobs: readonly PlannedJob[];
  /** What was wanted of the source, and cannot be copied; and what was copied before and is not listed any more. */
  readonly lost: readonly NotCopied[];
  /** What an interrupted run has done. */
  readonly saved?: SavedRun | undefined;
  /** Bytes that the target's database takes up. */
  readonly used: number;
  /** When it was made, by the clock of a source whose rows say when they were changed. */
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
  const { time } = stores.source.mapping === undefined ? {} : await stores.source.identity(signal);
  const [source, target] = await Promise.all([look(stores.source, signal), look(stores.target, signal)]);
  const isMapped = stores.source.mapping !== undefined;
  mustMatch(options, namesOf(source.listing), isMapped);
  const told: string[] = [];
  const planOptions = {
    command: options.command,
    source: source.label,
    target: target.label,
    delete: options.delete,
    allowShrink: options.allowShrink,
    dryRun: options.dryRun,
  };
  mustNotBeSwapped(source, target, options.intoExisting);
  // What comes from a MongoDB has a name that a MongoDB takes.
  const nameProblem = isMapped ? (name: string) => stores.target.nameProblem(name) : undefined;
  const { notCopied, jobs, lost, copies } = chooseJobs(source.listing, options.wanted, nameProblem);
  const since = chooseSince(jobs, options.since, source, target);
  const gone = isMapped ? vanished({ jobs, copies }, source, target, options.wanted) : [];
  const known = { jobs, copies: new Set([...copies, ...gone]) };
  const beside = { source: stores.source, listing: target.listing };
  const hidden = await hiddenBeside(known, beside, options.wanted, signal);
  const goneLosses = [
    ...(await vanishedLosses(gone, stores.source, options.wanted, signal)),
    ...hidden.values(),
  ];
  const chosen = {
    notCopied: [...notCopied, ...goneLosses],
    copies: new Set([...known.copies, ...hidden.keys()]),
    jobs: since.jobs.map((job) => asOrdered(job, target)),
  };
  mustFit(chosen.jobs, target.listing, planOptions);
  const foreign = foreignJobs(chosen.jobs, source, target);
  if (!options.intoExisting) mustBeOurs(foreign, source, target, options.to.database);
  const saved = await findSaved(options, target.history, (reason) => told.push(reason));
  const found = await compareAll(stores, foreign, target, context);
  const saving = savedFirst(chosen.jobs, target, options.delete);
  const notes = [...adoption(found), ...saving, ...told, ...since.notes, ...remarks(options)];
  notes.push(...without(chosen.jobs));
  const made = makePlan(chosen, target.listing, found, { ...planOptions, notes });
  const resumed = resumedOf(saved, chosen.jobs, target.listing);
  const plan = resumed === undefined ? made : { ...made, resumed };
  const used = await mustHaveRoom(stores.target, options, plan, signal);
  return { plan, jobs: chosen.jobs, lost: [...lost, ...goneLosses], used, time, saved };
}

/** A collection that is there already may come in another order than a copy would. */
function asOrdered(job: PlannedJob, { listing }: Before): PlannedJob {
  const there = listing.collections.find(({ name }) => name === job.to.name);
  return there === undefined ? job : { ...job, to: { ...job.to, ordered: there.ordered } };
}

/** Rows that are hidden from a key look like none. */
function without(jobs: readonly PlannedJob[]): string[] {
  const empty = jobs
    .filter(({ from }) => from.mayBeHidden === true && from.documents === 0)
    .map(({ from }) => from.name);
  if (empty.length === 0) return [];
  return [
    `No rows, as far as this key sees: ${empty.join(", ")}. If that is not so, row-level security hides them from it.`,
  ];
}

/** Of what can be copied, and of what is there and cannot. */
function namesOf(listing: Before["listing"]): string[] {
  return [...listing.collections, ...unreadable(listing)].map(({ name }) => name);
}

async function look(store: Source, signal: AbortSignal): Promise<Before> {
  const [listing, history] = await Promise.all([store.list(signal), store.history(signal)]);
  return { label: store.label, listing, history, isMapped: store.mapping !== undefined };
}

/** What is in the target already is compared before anybody decides that it may be replaced. */
async function compareAll(
  { source, target }: Stores,
  jobs: readonly PlannedJob[],
  { listing }: Before,
  { reporter, signal }: RunContext,
): Promise<ReadonlyMap<string, Found>> {
  const there = new Map(listing.collections.map((collection) => [collection.name, collection]));
  const found = new Map<string, Found>();
  for (const job of jobs) {
    const to = there.get(job.to.name) ?? job.to;
    reporter.note(`Comparing ${to.name} with what the target holds.`);
    found.set(to.name, await compare({ ...job, source, target, to, signal }));
  }
  return found;
}

function adoption(found: ReadonlyMap<string, Found>): string[] {
  return [...found].flatMap(([name, { different, examples }]) => {
    if (different === 0) return [];
    const some =
      different === 1 ? "1 document differs" : `${different.toLocaleString("en-US")} documents differ`;
    const shown = different > examples.length ? `for example ${examples.join(", ")}` : examples.join(", ");
    return [`${name}: ${some} from the source's and would be replaced: ${shown}.`];
  });
}

async function mustHaveRoom(
  target: Target,
  { maxTargetSize }: CopyingOptions,
  plan: Plan,
  signal: AbortSignal,
): Promise<number> {
  if (maxTargetSize === undefined) return 0;
  const used = await target.size(signal);
  mustFitInto(maxTargetSize, used, plan.estimatedTargetBytes, plan.target);
  return used;
}

function remarks(options: CopyingOptions): string[] {
  const { from, to } = options;
  const sameServer =
    from.kind === "mongodb" && (from.uri === to.uri || hostOf(from.label) === hostOf(to.label));
  return [
    ...(sameServer
      ? [
          "Source and target are on the same server: the copy doubles the space there, and is lost together with it.",
        ]
      : []),
    ...(options.verify === "content"
      ? []
      : [`The copy is not read back (--verify ${options.verify}): run without it for a proof.`]),
    ...(options.indexes || from.kind !== "mongodb" ? [] : ["Indexes are not built (--no-indexes)."]),
  ];
}

function hostOf(label: string): string {
  return label.slice(0, label.lastIndexOf("/"));
}
