/** Arrays that are selected as the literal that Postgres prints. */
import { TYPE } from "../../../bson/elements.ts";
import type { BsonWriter } from "../../../bson/writer.ts";
import type { Name } from "../../../json/json-bson.ts";
import { type Literal, literalText, readLiteral } from "./array-literal.ts";
import type { JsonStyle } from "./to-row/json-text.ts";
import { writeJsonText } from "./write-json-text.ts";

/**
 * Writes a json[] or jsonb[], given as the literal that Postgres prints, as an array. True when printing it gives the literal
 * back. Not so with JSON's null inside, which is kept as SQL's, nor with more than one dimension: an array in the array stands
 * for an element that is a JSON array.
 */
export function writeJsonLiteral(writer: BsonWriter, name: Name, text: string, style: JsonStyle): boolean {
  const literal = readLiteral(text);
  writer.element(TYPE.array, name);
  const isExact = writeItems(writer, literal, style);
  return isExact && literalText(literal) === text;
}

/** True when each element is printed again as it was. */
function writeItems(writer: BsonWriter, items: Literal, style: JsonStyle): boolean {
  const start = writer.begin();
  let isExact = true;
  for (const [index, item] of items.entries()) {
    const name = String(index);
    if (item === null) writer.element(TYPE.null, name);
    else if (typeof item === "string") isExact = writeJsonText(writer, name, item, style) && isExact;
    else {
      writer.element(TYPE.array, name);
      writeItems(writer, item, style);
      isExact = false;
    }
  }
  writer.end(start);
  return isExact;
}

/** Writes an array of a type that is kept as its text, nested for its dimensions. True as above: not so with other bounds. */
export function writeTextLiteral(writer: BsonWriter, name: Name, text: string): boolean {
  const literal = readLiteral(text);
  writer.element(TYPE.array, name);
  writeTexts(writer, literal);
  return literalText(literal) === text;
}

function writeTexts(writer: BsonWriter, items: Literal): void {
  const start = writer.begin();
  for (const [index, item] of items.entries()) {
    const name = String(index);
    if (item === null) writer.element(TYPE.null, name);
    else if (typeof item === "string") writer.stringField(name, item);
    else {
      writer.element(TYPE.array, name);
      writeTexts(writer, item);
    }
  }
  writer.end(start);
}
