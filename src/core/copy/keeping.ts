/** Which documents of a target stay as they are although the source has others under their ids. */
import type { Equivalence } from "../walk/equivalence.ts";
import type { DocumentPair } from "../walk/walk.ts";
import { type NewerBy, newerReason } from "./newer.ts";

/** A document of the target stays. */
export interface KeptDocument {
  /** Why the source's one does not get there, for people; absent where nobody asked for that. */
  readonly loss?: string | undefined;
}

/** What of a pair was changed since the last verified run between the two stores, as far as the checksums of that run tell. */
export interface ChangedSince {
  readonly source: boolean;
  readonly target: boolean;
}

export interface Keeping {
  /** Whether `compared` is to know what was changed since the last verified run. */
  readonly asksChanges?: true;
  /** Of a pair that was compared. Undefined: the target's document is replaced. `equivalence`: how the two were compared. */
  compared(
    pair: DocumentPair,
    changed: ChangedSince | undefined,
    equivalence: Equivalence | undefined,
  ): KeptDocument | undefined;
  /** Of one that was to be written, where the target holds something else by now than when it was looked at. */
  appeared(pair: DocumentPair): KeptDocument | undefined;
}

/** What is newer in the target is named, everything else replaced. */
export function keepNewer(newerBy: NewerBy): Keeping {
  const compared = (pair: DocumentPair): KeptDocument | undefined => {
    const field = newerBy.newer(pair);
    return field === undefined ? undefined : { loss: newerReason(field) };
  };
  return { compared, appeared: compared };
}

/** Whatever the target holds stays. */
export const KEEP_ALL: Keeping = { compared: () => ({}), appeared: () => ({}) };

/** Nothing stays. */
export const KEEP_NONE: Keeping = { compared: () => undefined, appeared: () => undefined };

const CONFLICT =
  "it differs, and it is not known which of the two is to stay: look at both; --newer-by FIELD decides by a date, --mode overwrite takes the copy's";

/**
 * What was changed in only one of the stores since the last verified run wins. Of all others the newer one does; where no date
 * tells, the target's stays and is named.
 */
export function mergeBy(newerBy: NewerBy): Keeping {
  const appeared = (pair: DocumentPair): KeptDocument | undefined => {
    const later = newerBy.later(pair);
    if (later === undefined) return { loss: CONFLICT };
    return later.side === "source" ? undefined : {};
  };
  return {
    asksChanges: true,
    compared(pair, changed) {
      if (changed === undefined || changed.source === changed.target) return appeared(pair);
      return changed.source ? undefined : {};
    },
    appeared,
  };
}
