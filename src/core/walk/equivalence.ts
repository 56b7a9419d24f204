/** Documents that differ byte for byte and yet may say the same: where one side makes its documents from something else. */

import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Classification, LossyWords } from "../../connectors/powers/mapping.ts";
import type { Doc } from "../../model/document.ts";
import type { DocumentPair, Step } from "./walk.ts";

/** Asked only of documents that are not equal byte for byte. */
export interface Equivalence {
  readonly lossy: LossyWords | undefined;
  classify(pair: DocumentPair): Classification;
  /** Names of the fields that are not the same; undefined where that is unknown. */
  differing(pair: DocumentPair): readonly string[] | undefined;
  /** What should be written over `found`. */
  wanted(pair: DocumentPair): Doc;
}

export interface Sides {
  readonly source: Reader;
  readonly target: Reader;
  readonly from: Pick<CollectionInfo, "name">;
  readonly to: Pick<CollectionInfo, "name">;
}

/** By the mapping of whichever side has one; undefined where documents are what both sides hold. */
export function equivalenceOf({ source, target, from, to }: Sides): Equivalence | undefined {
  const { mapping } = source;
  if (mapping !== undefined) {
    return {
      lossy: mapping.lossy,
      classify: ({ expected, found }) => mapping.classify(from.name, expected, found),
      differing: ({ expected, found }) => mapping.differing(from.name, expected, found),
      wanted: ({ expected, found }) => mapping.merged(from.name, expected, found),
    };
  }
  const { mapping: theirs } = target;
  if (theirs === undefined) return undefined;
  return {
    lossy: theirs.lossy,
    classify: ({ expected, found }) => theirs.classify(to.name, found, expected),
    differing: ({ expected, found }) => theirs.differing(to.name, found, expected),
    wanted: ({ expected }) => expected,
  };
}

/**
 * Whether `found` is what `wanted` becomes in this store: the same bytes, or, where documents are made from something else, what
 * the store's own mapping calls equivalent. Fields that the store's own rules alter may be anything.
 */
export function isHeldAs(
  { mapping }: Pick<Reader, "mapping">,
  collection: string,
  wanted: Doc,
  found: Doc | undefined,
  altered: ReadonlySet<string> = NONE,
): boolean {
  if (found === undefined) return false;
  if (Buffer.compare(found.bytes, wanted.bytes) === 0) return true;
  if (mapping?.classify(collection, found, wanted) === "equivalent") return true;
  if (altered.size === 0) return false;
  return mapping?.differing(collection, found, wanted)?.every((name) => altered.has(name)) ?? false;
}

const NONE: ReadonlySet<string> = new Set();

/** The same walk, with equivalent documents separated from different ones. */
export async function* classified(
  steps: AsyncIterable<Step>,
  equivalence: Equivalence | undefined,
): AsyncGenerator<Step> {
  for await (const step of steps) {
    if (equivalence === undefined || step.different.length === 0) {
      yield step;
      continue;
    }
    const equivalent: DocumentPair[] = [];
    const different: DocumentPair[] = [];
    for (const pair of step.different) {
      if (equivalence.classify(pair) === "equivalent") equivalent.push(pair);
      else different.push(wantedPair(equivalence, pair));
    }
    yield { ...step, different, equivalent };
  }
}

function wantedPair(equivalence: Equivalence, pair: DocumentPair): DocumentPair {
  const expected = equivalence.wanted(pair);
  const isMerged = Buffer.compare(expected.bytes, pair.expected.bytes) !== 0;
  return { expected, found: pair.found, ...(isMerged && { isMerged }) };
}
