import { type Element, elements } from "../../bson/elements.ts";
import { typeName } from "../../bson/type-name.ts";
import { BsonWriter } from "../../bson/writer.ts";
import type { FieldDifference } from "../../model/reporter.ts";
import { type FieldDifferences, fieldDifferences } from "./fields.ts";

/**
 * How two documents differ in these fields of theirs. A field that has equal bytes on both sides is named, too, with this note:
 * the copy cannot hold all of what it was made from.
 */
export function namedDifferences(
  source: Uint8Array,
  target: Uint8Array,
  names: readonly string[],
  options: { readonly values: boolean; readonly note: string | undefined },
): FieldDifferences {
  const wanted = new Set(names);
  const { fields, more } = fieldDifferences(only(source, wanted), only(target, wanted), options);
  if (more > 0) return { fields, more };
  const known = new Set(fields.map(({ path }) => path.split("/")[1]));
  const types = [typesOf(source), typesOf(target)] as const;
  const lost = names
    .map((name) => ({ name, step: name.replaceAll("~", "~0").replaceAll("/", "~1") }))
    .filter(({ step }) => !known.has(step))
    .map(
      ({ name, step }): FieldDifference => ({
        ...{ path: `/${step}`, source: types[0].get(name), target: types[1].get(name) },
        note: options.note,
      }),
    );
  return { fields: [...fields, ...lost], more };
}

/** By the name of each field. */
function typesOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  return new Map([...elements(bytes)].map((element) => [nameIn(bytes, element), typeName(element.type)]));
}

function nameIn(bytes: Uint8Array, { nameStart, nameEnd }: Element): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + nameStart, nameEnd - nameStart).toString("utf8");
}

/** The document with nothing but these fields. */
function only(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const writer = new BsonWriter(bytes.length);
  const start = writer.begin();
  for (const element of elements(bytes)) {
    if (names.has(nameIn(bytes, element))) writer.raw(bytes.subarray(element.nameStart - 1, element.end));
  }
  writer.end(start);
  return writer.written();
}
