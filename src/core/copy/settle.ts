/** Documents that the target refused while others held their unique values: written once all others are what they should be. */
import { printId } from "../../bson/print-id.ts";
import type { NotReproduced, Rejected } from "../../connectors/write-outcome.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Change } from "../change/change.ts";
import type { Journal } from "../change/journal.ts";
import { type Settled, settleBlocked } from "../change/settle-blocked.ts";
import type { BlockedDocument } from "../progress/blocked.ts";
import { canQuery, find } from "../walk/lookup.ts";
import type { Job } from "./job.ts";
import type { KeptDocument } from "./keeping.ts";

/** Runs when all ranges are copied and what the source no longer has is removed. */
export async function settleRejected(job: Job): Promise<void> {
  const { progress, to: collection, target, session, signal } = job;
  if (progress.blocked.size === 0) return;
  const all = progress.blocked.documents;
  const isAskable = ({ id }: BlockedDocument): boolean => canQuery(job.source, id);
  // What the source cannot be asked for is not known to be gone.
  const unaskable = all.filter((one) => !isAskable(one));
  const blocked = new Map(all.filter(isAskable).map((one) => [one.id.key, one]));
  await job.sizeLimit?.measure(0, signal);
  const kept = new Map<string, KeptDocument>();
  const notReproduced: NotReproduced[] = [];
  const onLost = (lost: NotReproduced): void => void notReproduced.push(lost);
  const work = {
    target,
    session,
    collection,
    journaling: journalingOf(job),
    saved: new Map(),
    altered: job.altered,
    onLost,
    signal,
  };
  const settled = await settleBlocked(
    work,
    [...blocked.values()].map(({ id }) => id),
    (ids) => changesOf(job, ids, kept),
  );
  const left = settled.filter(({ result }) => result !== "changed" && result !== "unchanged");
  const isKept = ({ id: { key } }: Settled): boolean => kept.has(key) && kept.get(key)?.loss === undefined;
  const written = settled.length - left.length;
  progress.settled({
    written,
    kept: left.filter(isKept).length,
    gone: blocked.size - settled.length,
  });
  const steps = await nextSteps(job, left);
  const rejected = left
    .filter((one) => !isKept(one))
    .map(({ id, reason = "" }): Rejected => {
      const { key } = id;
      return { id, reason: kept.get(key)?.loss ?? `${reason}${steps.get(key) ?? ""}` };
    });
  job.losses.addDocuments(job.from.name, [...rejected, ...unaskable]);
  for (const { key, reason } of notReproduced) job.losses.add(key, reason);
}

const NONE: ReadonlyMap<string, Doc> = new Map();

/** What the source holds of them now: one that it no longer has is not to be written. */
async function changesOf(
  job: Job,
  ids: readonly DocumentId[],
  kept: Map<string, KeptDocument>,
): Promise<readonly Change[]> {
  const { source, target, from, to, equivalence, keeping, signal } = job;
  const now = await find(source, from, ids, signal);
  // Only where a document may hold more in the target than in the source does it matter what is there.
  const held = equivalence === undefined ? NONE : await find(target, to, ids, signal);
  const documents = ids.map(({ key }) => now.get(key)).filter((document) => document !== undefined);
  return documents.map((expected) => {
    const found = held.get(expected.id.key);
    const wanted = found === undefined ? expected : (equivalence?.wanted({ expected, found }) ?? expected);
    return {
      id: expected.id,
      wanted: wanted.bytes,
      accepts: (there: Doc | undefined) => {
        const stays = there === undefined ? undefined : keeping.appeared({ expected: wanted, found: there });
        if (stays !== undefined) kept.set(expected.id.key, stays);
        return stays === undefined;
      },
    };
  });
}

/** Where only what others wrote is saved, what is new there is not. */
function journalingOf({ journaling }: Job): Job["journaling"] {
  if (journaling === undefined || journaling.writes) return journaling;
  const journal: Journal = {
    save: async (collection, entries) => {
      const there = [...entries].filter(({ before }) => before !== undefined);
      if (there.length > 0) await journaling.journal.save(collection, there);
    },
    saveAltered: (collection, fields) =>
      journaling.journal.saveAltered?.(collection, fields) ?? Promise.resolve(),
  };
  return { ...journaling, journal };
}

/** For those whose values a document is known to hold: which one it is, and what can be done. Each follows the reason. */
async function nextSteps(job: Job, left: readonly Settled[]): Promise<ReadonlyMap<string, string>> {
  const { source, from, signal } = job;
  const blocked = left.flatMap(({ id, holder }) => (holder === undefined ? [] : [{ id, holder }]));
  const there = await find(
    source,
    from,
    blocked.map(({ holder }) => holder),
    signal,
  );
  return new Map(
    blocked.map(({ id, holder }) => {
      const what = there.has(holder.key)
        ? "which could not be changed, or has it in the source, too: look at both documents there"
        : "which the source does not have: --delete removes it";
      return [id.key, `: it belongs to ${printId(holder.element)}, ${what}`];
    }),
  );
}
