import type { Doc } from "../../model/document.ts";
import { equalIgnoringFieldOrder } from "../explain/field-order.ts";
import type { Equivalence } from "../walk/equivalence.ts";
import type { DiffRun } from "./diff-job.ts";

export type PairClassification = "equal" | "equivalent" | "lossy-equal" | "different";

/** Whether both sides hold the same, or both nothing. */
export function classifyPair(
  {
    ignoreFieldOrder,
    equivalence,
  }: Pick<DiffRun, "ignoreFieldOrder"> & { readonly equivalence?: Equivalence | undefined },
  source: Doc | undefined,
  target: Doc | undefined,
): PairClassification {
  if (source === undefined || target === undefined) return source === target ? "equal" : "different";
  if (Buffer.compare(source.bytes, target.bytes) === 0) return "equal";
  if (ignoreFieldOrder && equalIgnoringFieldOrder(source.bytes, target.bytes)) return "equal";
  return equivalence === undefined ? "different" : equivalence.classify({ expected: source, found: target });
}

/** Whether that is no difference. */
export function isSame(classification: PairClassification): boolean {
  return classification === "equal" || classification === "equivalent";
}
