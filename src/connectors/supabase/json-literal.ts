import { TYPE } from "../../bson/elements.ts";
import { type BsonWriter, UnwritableText } from "../../bson/writer.ts";
import { type Literal, literalText, readLiteral } from "./array-literal.ts";
import { MOST_LEVELS, printedNumber, writeJson } from "./json-bson.ts";
import { readJson, TooDeep } from "./json-reader.ts";
import { type JsonStyle, jsonText } from "./json-text.ts";

/**
 * Writes a json[] or jsonb[], given as the literal that Postgres prints, as an array; as a string where BSON cannot follow an
 * element. True when printing it gives the literal back. Not so with JSON's null inside, which is kept as SQL's, nor with more
 * than one dimension: an array in the array stands for an element that is a JSON array.
 */
export function writeJsonLiteral(
  writer: BsonWriter,
  name: Uint8Array,
  text: string,
  style: JsonStyle,
): boolean {
  const literal = readLiteral(text);
  const start = writer.length;
  try {
    writer.element(TYPE.array, name);
    const printed = writeItems(writer, literal, style);
    return printed.every((item) => item !== undefined) && literalText(printed) === text;
  } catch (error) {
    if (!(error instanceof TooDeep || error instanceof UnwritableText)) throw error;
    writer.rewind(start);
    writer.stringField(name, text);
    return false;
  }
}

/** What the elements look like when they are printed again; undefined for one that cannot be. */
function writeItems(writer: BsonWriter, items: Literal, style: JsonStyle): (string | null | undefined)[] {
  const start = writer.begin();
  const printed = items.map((item, index) => {
    const head = (type: number) => writer.named(type, String(index));
    if (item !== null && typeof item !== "string") {
      head(TYPE.array);
      writeItems(writer, item, style);
      return undefined;
    }
    const value = item === null ? null : readJson(item, MOST_LEVELS);
    writeJson(writer, value, head);
    return value === null ? null : jsonText(value, style, printedNumber);
  });
  writer.end(start);
  return printed;
}
