/** A collection that is dropped or renamed looks, to whoever reads or writes it by its name, like one that ends early or is empty. */
import type { NotReproduced } from "../../connectors/write-outcome.ts";
import type { Losses } from "../progress/losses.ts";
import type { OpenRange, Part } from "../progress/progress.ts";
import { assertExists } from "../walk/presence.ts";
import type { Job } from "./job.ts";

/** To be asked after anything was concluded from what the source does not hold, and before that is acted upon. */
export async function assertSourceExists({
  source,
  from,
  signal,
}: Pick<Job, "source" | "from" | "signal">): Promise<void> {
  await assertExists("source", source, from, signal, {
    when: "during the run",
    hint: "Its copy may be incomplete. Run the same command again when the source is quiet.",
  });
}

/** What was proved is proved of the collection that was there then: `uid` names it. */
export async function assertTargetExists(
  { target, to, signal }: Job,
  uid: string | undefined,
): Promise<void> {
  if (uid === undefined) return;
  await assertExists("target", target, { ...to, uid }, signal, {
    exit: "unverified",
    when: "during the run",
    hint: "Another program did this. The source was not changed; look at the target, then run the same command again.",
  });
}

/** Takes down that a part is copied and proved, once it is certain that it was read from the collection that is meant. */
export async function commit(job: Job, range: OpenRange, part: Part, upTo?: OpenRange["to"]): Promise<void> {
  await assertSourceExists(job);
  nameInexact(job, part.losses);
  job.progress.commit(range, part, upTo);
}

/** What was not read exactly, as far as that was seen until now; each is named as a loss. */
export function nameInexact(
  { source, from }: Pick<Job, "source" | "from">,
  losses: Losses,
): readonly NotReproduced[] {
  const inexact = source.exactness?.inexact(from.name) ?? [];
  for (const { key, reason } of inexact) losses.add(key, reason);
  return inexact;
}
