import { DualsyncError } from "../../model/errors.ts";

/** Whether so much is gone from the source that a fault is likelier than a wish: more than half. */
export function isShrunken(sourceDocuments: number, targetDocuments: number): boolean {
  return sourceDocuments * 2 < targetDocuments;
}

export function shrinkError(
  collection: string,
  sourceDocuments: number,
  targetDocuments: number,
  safe: string,
): DualsyncError {
  const [source, target] = [sourceDocuments, targetDocuments].map((count) => count.toLocaleString("en-US"));
  return new DualsyncError(
    "refused",
    `${JSON.stringify(collection)} has shrunk to less than half: the source holds ${source} of its documents and the target ${target}; --delete would remove the rest.`,
    {
      hint: `${safe} Look at the source first. If this is intended, add --allow-shrink.`,
    },
  );
}
