import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { DualsyncError, type ExitName } from "../../model/errors.ts";

/** Whether the collection that was listed still exists, as far as the store can distinguish it from a later one of its name. */
export async function exists(
  { presence }: Pick<Reader, "presence">,
  collection: CollectionInfo,
  signal: AbortSignal,
): Promise<boolean> {
  return (await presence?.stillExists(collection, signal)) ?? true;
}

/** Why what was concluded of a collection is no longer certain; `role` is whose collection it is. */
export function replacedReason(role: "source" | "target"): string {
  return `the ${role} replaced or altered it during the run, so that what was read may be of both. Run the same command again.`;
}

/** Those of these collections that were replaced or altered, as far as that is seen only when everything is done. */
export async function replacedMeanwhile(
  { presence }: Pick<Reader, "presence">,
  collections: readonly CollectionInfo[],
  signal: AbortSignal,
): Promise<ReadonlySet<CollectionInfo>> {
  if (collections.length === 0) return new Set();
  return new Set(await presence?.replaced?.(collections, signal));
}

/** @throws DualsyncError of this collection alone where it exists and is only no longer shown */
export async function assertReadable(
  role: "source" | "target",
  store: Reader,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const reason = await store.hiding?.reason(name, signal);
  if (reason === undefined) return;
  throw new DualsyncError(role, `The collection ${name} of the ${role} can no longer be read: ${reason}`, {
    ofOneCollection: true,
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

/** @throws DualsyncError where the collection that was listed was dropped or replaced; of this collection alone where it is hidden */
export async function assertExists(
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
