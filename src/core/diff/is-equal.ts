import type { Doc } from "../../document.ts";
import { equalIgnoringFieldOrder } from "../explain/field-order.ts";
import type { DiffRun } from "./diff-job.ts";

/** Whether both sides hold the same, or both nothing. */
export function isEqual(
  { ignoreFieldOrder }: Pick<DiffRun, "ignoreFieldOrder">,
  source: Doc | undefined,
  target: Doc | undefined,
): boolean {
  if (source === undefined || target === undefined) return source === target;
  if (Buffer.compare(source.bytes, target.bytes) === 0) return true;
  return ignoreFieldOrder && equalIgnoringFieldOrder(source.bytes, target.bytes);
}
