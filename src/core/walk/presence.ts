import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";

/** Whether the collection that was listed still exists, as far as the store can distinguish it from a later one of its name. */
export async function exists(
  { presence }: Pick<Reader, "presence">,
  collection: CollectionInfo,
  signal: AbortSignal,
): Promise<boolean> {
  return (await presence?.stillExists(collection, signal)) ?? true;
}
