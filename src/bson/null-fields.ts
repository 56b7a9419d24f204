import { elements, isNamed, TYPE } from "./elements.ts";
import { BsonWriter } from "./writer.ts";

/** Whether all of these top-level fields are null, or missing. */
export function areNull(bytes: Uint8Array, names: readonly string[]): boolean {
  for (const element of elements(bytes))
    if (element.type !== TYPE.null && names.some((name) => isNamed(bytes, element, name))) return false;
  return true;
}

/** The document with null in those of these top-level fields that it has. */
export function withNull(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const writer = new BsonWriter(bytes.length);
  const start = writer.begin();
  for (const element of elements(bytes)) {
    const isOne = names.some((name) => isNamed(bytes, element, name));
    if (isOne) writer.raw(Uint8Array.of(TYPE.null));
    writer.raw(bytes.subarray(element.nameStart - (isOne ? 0 : 1), isOne ? element.start : element.end));
  }
  writer.end(start);
  return writer.written();
}
