/** A collection that is dropped or renamed looks, to whoever reads or writes it by its name, like one that ends early or is empty. */
import { DualsyncError } from "../errors.ts";
import type { Job } from "./job.ts";
import type { Losses } from "./losses.ts";
import type { OpenRange, Part } from "./progress.ts";
import { mustNotBeHidden } from "./vanished.ts";

/** To be asked after anything was concluded from what the source does not hold, and before that is acted upon. */
export async function sourceMustBeThere(job: Job): Promise<void> {
  if (await job.source.isStillThere(job.from, job.signal)) return;
  await mustNotBeHidden("source", job.source, job.from.name, job.signal);
  throw new DualsyncError(
    "source",
    `The collection ${job.from.name} was dropped or replaced in the source during the run.`,
    {
      hint: "Its copy may be incomplete. Run the same command again when the source is at rest.",
    },
  );
}

/** What was proved is proved of the collection that was there then: `incarnation` names it. */
export async function targetMustBeThere(job: Job, incarnation: string | undefined): Promise<void> {
  if (incarnation === undefined) return;
  if (await job.target.isStillThere({ ...job.to, incarnation }, job.signal)) return;
  await mustNotBeHidden("target", job.target, job.to.name, job.signal);
  throw new DualsyncError(
    "unverified",
    `The collection ${job.to.name} was dropped or replaced in the target during the run.`,
    {
      hint: "Another program did that. The source was not changed; look at the target, then run the same command again.",
    },
  );
}

/** Takes down that a part is copied and proved, once it is certain that it was read from the collection that is meant. */
export async function commit(job: Job, range: OpenRange, part: Part, upTo?: OpenRange["to"]): Promise<void> {
  await sourceMustBeThere(job);
  nameInexact(job, part.losses);
  job.progress.commit(range, part, upTo);
}

/** What was not read exactly, as far as that was seen until now. @returns whether anything was */
export function nameInexact({ source, from }: Job, losses: Losses): boolean {
  const inexact = source.inexact?.(from.name) ?? [];
  for (const { key, reason } of inexact) losses.add(key, reason);
  return inexact.length > 0;
}
