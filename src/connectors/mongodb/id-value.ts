import { toOrdered } from "../../bson/ordered.ts";
import type { DocumentId } from "../../document.ts";

/** The value of an `_id` as the driver can put it into a command. */
export function idValue(id: DocumentId): unknown {
  const bytes = Buffer.alloc(4 + 1 + 1 + id.element.length);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = id.element[0] as number;
  bytes.set(id.element.subarray(1), 6); // the name between type and value is empty: one NUL
  return toOrdered(bytes).get("");
}
