/** What is known of a run's size before it begins. */

import type { ChangePlan, Comparison, Plan, SyncPlan } from "../../model/reporter.ts";
import type { MainPhase } from "./phase.ts";

export interface Expected {
  readonly phase: MainPhase;
  readonly documents: number;
  /** Those that hold documents. */
  readonly collections: number;
}

export function expectedCopy({ collections, documents }: Plan): Expected {
  return { phase: "copying", documents, collections: withDocuments(collections) };
}

export function expectedComparison({ collections }: Comparison): Expected {
  const documents = collections.reduce((sum, collection) => sum + (collection.documents ?? 0), 0);
  return { phase: "comparing", documents, collections: withDocuments(collections) };
}

export function expectedChanges({ collections }: ChangePlan): Expected {
  const documents = collections.reduce((sum, each) => sum + each.insert + each.replace + each.remove, 0);
  return { phase: "repairing", documents, collections: collections.length };
}

function withDocuments(collections: readonly { readonly kind: string }[]): number {
  return collections.filter(({ kind }) => kind !== "definition").length;
}

export function expectedSync({ primaryDocuments }: SyncPlan): Expected {
  return { phase: "comparing", documents: primaryDocuments, collections: 1 };
}
