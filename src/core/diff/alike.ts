import type { Doc } from "../../document.ts";
import { equalIgnoringFieldOrder } from "../explain/field-order.ts";
import type { Judge } from "../judge.ts";
import type { DiffRun } from "./diff-job.ts";

export type Alike = "equal" | "equivalent" | "lossy-equal" | "different";

/** Whether both sides hold the same, or both nothing. */
export function alike(
  { ignoreFieldOrder, judge }: Pick<DiffRun, "ignoreFieldOrder"> & { readonly judge?: Judge | undefined },
  source: Doc | undefined,
  target: Doc | undefined,
): Alike {
  if (source === undefined || target === undefined) return source === target ? "equal" : "different";
  if (Buffer.compare(source.bytes, target.bytes) === 0) return "equal";
  if (ignoreFieldOrder && equalIgnoringFieldOrder(source.bytes, target.bytes)) return "equal";
  return judge === undefined ? "different" : judge.likeness({ expected: source, found: target });
}

/** Whether that is no difference. */
export function isSame(likeness: Alike): boolean {
  return likeness === "equal" || likeness === "equivalent";
}
