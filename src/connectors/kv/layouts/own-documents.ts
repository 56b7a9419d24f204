/** What dualsync notes in a copy beside its keys: documents of its own, in one collection of their own. */
import { type Element, elements, isNamed, TYPE } from "../../../bson/elements.ts";
import { readInt64 } from "../../../bson/numbers.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import { Batch, type Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { Reader, WriteSession } from "../../contract.ts";
import { CONTROL_NAME } from "../../control/control-name.ts";
import { writeElement } from "./records.ts";

export const AGREEMENTS = `${CONTROL_NAME}_agreements`;

/** An `_id` that no key has: an int32. */
export function ownId(number: number): DocumentId {
  const element = new Uint8Array(5);
  element[0] = TYPE.int32;
  new DataView(element.buffer).setInt32(1, number, true);
  return new DocumentId(element);
}

/** A document with these fields, and those of the one there that are not among the known ones. */
export function ownDocument(
  id: DocumentId,
  there: Doc | undefined,
  known: readonly string[],
  fields: (writer: BsonWriter) => void,
): Doc {
  const writer = new BsonWriter(id.element.length + (there?.bytes.length ?? 0) + 200);
  const start = writer.begin();
  writer.element(id.element[0] as number, "_id");
  writer.raw(id.element.subarray(1));
  fields(writer);
  if (there !== undefined)
    for (const element of elements(there.bytes))
      if (!known.some((name) => isNamed(there.bytes, element, name)))
        writeElement(writer, there.bytes, element);
  writer.end(start);
  return { id, bytes: writer.written() };
}

export async function putOwn(
  { label }: Pick<Reader, "label">,
  session: WriteSession,
  documents: readonly Doc[],
  signal: AbortSignal,
): Promise<void> {
  const { rejected } = await session.write(AGREEMENTS, Batch.of(documents), "replace", signal);
  const [first] = rejected;
  if (first !== undefined)
    throw new DualsyncError("target", `What was agreed on could not be noted in ${label}: ${first.reason}.`, {
      hint: "What was written stays. Run the same command again.",
    });
}

export function fieldIn(bytes: Uint8Array, name: string): Element | undefined {
  for (const element of elements(bytes)) if (isNamed(bytes, element, name)) return element;
  return undefined;
}

export function textIn(bytes: Uint8Array, name: string): string | undefined {
  const element = fieldIn(bytes, name);
  if (element?.type !== TYPE.string) return undefined;
  return Buffer.from(bytes.subarray(element.start + 4, element.end - 1)).toString();
}

/** Milliseconds since 1970. */
export function timeIn(bytes: Uint8Array, name: string): number | undefined {
  const element = fieldIn(bytes, name);
  return element?.type === TYPE.date ? Number(readInt64(bytes, element.start)) : undefined;
}

/** Of an int64 that dualsync wrote; undefined for any other value. */
export function countIn(bytes: Uint8Array, name: string): number | undefined {
  const element = fieldIn(bytes, name);
  const count = element?.type === TYPE.int64 ? Number(readInt64(bytes, element.start)) : Number.NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

export function binaryIn(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const element = fieldIn(bytes, name);
  return element?.type === TYPE.binary ? bytes.subarray(element.start + 5, element.end) : undefined;
}
