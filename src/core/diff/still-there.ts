import type { CollectionInfo, Source } from "../../connectors/connector.ts";
import { DualsyncError } from "../../errors.ts";
import { mustNotBeHidden } from "../vanished.ts";
import type { DiffJob } from "./diff-job.ts";

/** What was concluded is true of the collections that were listed: one that was dropped meanwhile looks empty. */
export async function bothMustBeThere({ source, target, from, to, signal }: DiffJob): Promise<void> {
  await Promise.all([mustBeThere("source", source, from, signal), mustBeThere("target", target, to, signal)]);
}

async function mustBeThere(
  role: "source" | "target",
  store: Source,
  collection: CollectionInfo,
  signal: AbortSignal,
): Promise<void> {
  if (await store.isStillThere(collection, signal)) return;
  await mustNotBeHidden(role, store, collection.name, signal);
  throw new DualsyncError(
    role,
    `The collection ${collection.name} was dropped or replaced in the ${role} while it was compared.`,
    { hint: "Nothing was changed. Run the same command again when that is done." },
  );
}
