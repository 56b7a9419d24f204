import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { BlueprintWriter } from "../../connectors/powers/blueprints.ts";
import { DualsyncError } from "../../model/errors.ts";

export interface BlueprintJob {
  readonly source: Reader;
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  readonly note: (message: string) => void;
  readonly signal: AbortSignal;
}

/** For the day on which the source is lost, collections and all. */
export async function leaveBlueprint(
  { source, from, to, signal, note }: BlueprintJob,
  writer: BlueprintWriter | undefined,
): Promise<void> {
  if (source.blueprints === undefined || writer === undefined) return;
  try {
    const blueprint = await source.blueprints.of(from.name, signal);
    if (blueprint !== undefined) await writer.leave(to.name, blueprint, signal);
    else note(`${to.name}: what is needed to create it again is too long to be kept, or not known.`);
  } catch (error) {
    if (signal.aborted || !(error instanceof DualsyncError)) throw error;
    note(`${to.name}: what is needed to create it again could not be kept in the target: ${error.message}`);
  }
}
