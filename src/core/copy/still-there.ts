/** A collection that is dropped or renamed looks, to whoever reads or writes it by its name, like one that ends early or is empty. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { DualsyncError, type ExitName } from "../../model/errors.ts";
import { assertReadable } from "../plan/vanished.ts";
import type { Losses } from "../progress/losses.ts";
import type { OpenRange, Part } from "../progress/progress.ts";
import { exists } from "../walk/presence.ts";
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

/** What was concluded is true of the collections that were listed: one that was dropped meanwhile looks empty. */
export async function assertBothExist(compared: {
  readonly source: Reader;
  readonly target: Reader;
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { source, target, from, to, signal } = compared;
  const gone = {
    when: "while it was compared",
    hint: "Nothing was changed. Run the same command again when that change is done.",
  };
  await Promise.all([
    assertExists("source", source, from, signal, gone),
    assertExists("target", target, to, signal, gone),
  ]);
}

async function assertExists(
  role: "source" | "target",
  store: Reader,
  collection: CollectionInfo,
  signal: AbortSignal,
  { exit = role, when, hint }: { readonly exit?: ExitName; readonly when: string; readonly hint: string },
): Promise<void> {
  if (await exists(store, collection, signal)) return;
  await assertReadable(role, store, collection.name, signal);
  const message = `The collection ${collection.name} was dropped or replaced in the ${role} ${when}.`;
  throw new DualsyncError(exit, message, { hint });
}

/** Takes down that a part is copied and proved, once it is certain that it was read from the collection that is meant. */
export async function commit(job: Job, range: OpenRange, part: Part, upTo?: OpenRange["to"]): Promise<void> {
  await assertSourceExists(job);
  nameInexact(job, part.losses);
  job.progress.commit(range, part, upTo);
}

/** What was not read exactly, as far as that was seen until now. @returns whether anything was */
export function nameInexact({ source, from }: Pick<Job, "source" | "from">, losses: Losses): boolean {
  const inexact = source.exactness?.inexact(from.name) ?? [];
  for (const { key, reason } of inexact) losses.add(key, reason);
  return inexact.length > 0;
}
