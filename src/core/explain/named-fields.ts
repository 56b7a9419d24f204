import { elements } from "../../bson/elements.ts";
import { BsonWriter } from "../../bson/writer.ts";
import type { FieldDifference } from "../../model/reporter.ts";
import { type FieldDifferences, fieldDifferences } from "./fields.ts";

/**
 * How two documents differ in these fields of theirs. A field that has equal bytes on both sides is named, too: what it
 * stands for has lost digits that the copy cannot hold.
 */
export function namedDifferences(
  source: Uint8Array,
  target: Uint8Array,
  names: readonly string[],
  options: { readonly values: boolean },
): FieldDifferences {
  const wanted = new Set(names);
  const { fields, more } = fieldDifferences(only(source, wanted), only(target, wanted), options);
  if (more > 0) return { fields, more };
  const known = new Set(fields.map(({ path }) => path.split("/")[1]));
  const lost = names
    .map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1"))
    .filter((name) => !known.has(name))
    .map(
      (name): FieldDifference => ({ path: `/${name}`, source: "date", target: "date", note: "microseconds" }),
    );
  return { fields: [...fields, ...lost], more };
}

/** The document with nothing but these fields. */
function only(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const writer = new BsonWriter(bytes.length);
  const start = writer.begin();
  for (const { nameStart, nameEnd, end } of elements(bytes)) {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + nameStart, nameEnd - nameStart).toString(
      "utf8",
    );
    if (names.has(name)) writer.raw(bytes.subarray(nameStart - 1, end));
  }
  writer.end(start);
  return writer.written();
}
