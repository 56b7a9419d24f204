/** What people read about the documents that are saved before they are overwritten or removed. */

import type { PlannedJob } from "../../core/plan/plan.ts";
import type { StoreSnapshot } from "../../core/plan/snapshot.ts";
import { bytes as sizeText } from "../../model/size-text.ts";
import { count } from "../../reporting/text/format.ts";
import { KEPT_DAYS } from "../../state/undo/undo-format.ts";
import type { UndoJournal } from "../../state/undo/undo-journal.ts";

const SHOWN = 5;

/** What a plan says of them. */
export function savedFirst(jobs: readonly PlannedJob[], target: StoreSnapshot, deletes: boolean): string[] {
  const names = heldByOthers(jobs, target);
  const some = names.slice(0, SHOWN).map((name) => JSON.stringify(name));
  const more = names.length > some.length ? ` and ${names.length - some.length} more` : "";
  const how = `saved first, in .dualsync on this machine, for ${KEPT_DAYS} days: dualsync undo puts it back.`;
  return [
    ...(names.length === 0
      ? []
      : [`What is replaced in ${some.join(", ")}${more} and was not written by dualsync is ${how}`]),
    ...(deletes ? [`What is removed is ${how}`] : []),
  ];
}

/** Collections in which dualsync found documents when it first came to them. */
function heldByOthers(jobs: readonly PlannedJob[], { listing, history }: StoreSnapshot): string[] {
  const there = new Map(listing.collections.map((collection) => [collection.name, collection]));
  return jobs.flatMap(({ to }) => {
    const existing = there.get(to.name);
    if (existing === undefined || existing.kind !== "collection" || existing.documents === 0) return [];
    const known = history.collections.get(to.name);
    const own = known?.fromEmpty === true && known.uid === existing.uid;
    return own ? [] : [to.name];
  });
}

/** What a run says of them at its end; nothing when there were none. */
export function savedSentence({ run, saved }: UndoJournal): string[] {
  const { documents, added, bytes } = saved;
  if (documents + added === 0) return [];
  const undo = `dualsync undo ${run}`;
  const size = `${sizeText(bytes)}, kept ${KEPT_DAYS} days`;
  if (documents === 0) {
    const [were, them] = added === 1 ? ["was", "it"] : ["were", "them"];
    return [`${count(added, "document")} ${were} added: ${undo} removes ${them} again (${size}).`];
  }
  const [were, they, them] = documents === 1 ? ["was", "it", "it"] : ["were", "they", "them"];
  return [
    `${count(documents, "document")} of the target ${were} saved before ${they} ${were} replaced or removed: ${undo} puts ${them} back (${size}).`,
  ];
}
