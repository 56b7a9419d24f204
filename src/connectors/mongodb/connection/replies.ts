/** Taking apart raw answers of cursor commands without decoding the documents in them. */
import { elements, isNamed, readInt32, TYPE } from "../../../bson/elements.ts";
import { Batch } from "../../../model/document.ts";

export interface CursorReply {
  /** 0n when the cursor is exhausted. */
  readonly id: bigint;
  readonly batch: Batch;
}

/**
 * Reads the `cursor` sub-document of a `find` or `getMore` answer. The documents are moved together within the same
 * buffer (their array keys go), so that a batch can be hashed, compared and sent on in one piece.
 * `ownsMemory`: the answer's memory is nobody else's.
 * @throws RangeError when the bytes are not such an answer
 */
export function readCursor(cursor: unknown, ownsMemory = false): CursorReply {
  if (!(cursor instanceof Uint8Array)) throw new RangeError("the reply has no cursor");
  let id: bigint | undefined;
  let batch: Batch | undefined;
  for (const element of elements(cursor)) {
    if (element.type === TYPE.int64 && isNamed(cursor, element, "id")) {
      id = new DataView(cursor.buffer, cursor.byteOffset).getBigInt64(element.start, true);
    } else if (
      element.type === TYPE.array &&
      (isNamed(cursor, element, "firstBatch") || isNamed(cursor, element, "nextBatch"))
    ) {
      batch = compact(cursor, element.start, element.end, ownsMemory);
    }
  }
  if (id === undefined || batch === undefined) throw new RangeError("the cursor has no batch");
  return { id, batch };
}

/** Moves the documents of the array at `start` together and returns them as a batch. */
function compact(bytes: Uint8Array, start: number, end: number, ownsMemory: boolean): Batch {
  const ends: number[] = [];
  let write = start + 4;
  let read = start + 4;
  const last = end - 1;
  while (read < last) {
    if (bytes[read] !== TYPE.object)
      throw new RangeError("a batch contains something that is not a document");
    while (bytes[++read] !== 0) if (read >= last) throw new RangeError("a batch does not end");
    const from = read + 1;
    const length = readInt32(bytes, from);
    const to = from + length;
    if (length < 5 || to > last || bytes[to - 1] !== 0)
      throw new RangeError("a document extends past its batch");
    bytes.copyWithin(write, from, to);
    write += length;
    ends.push(write - start - 4);
    read = to;
  }
  return new Batch(bytes.subarray(start + 4, write), ends, ownsMemory);
}
