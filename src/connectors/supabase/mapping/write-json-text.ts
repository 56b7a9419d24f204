import { type BsonWriter, UnwritableText } from "../../../bson/writer.ts";
import { MOST_LEVELS, type Name, writeJson } from "../../../json/json-bson.ts";
import { JsonReader, TooDeep } from "../../../json/json-reader.ts";
import { quoted } from "../../../json/quoted.ts";
import type { JsonStyle } from "./to-row/json-text.ts";

/**
 * Writes the value of a JSON text under `name`; text that BSON cannot follow (too deep, an unpaired surrogate, a field name with a NUL character)
 * as a string. True when printing the value gives the text back: not so with a null alone, which stands for SQL's. Blanks count
 * in a json; a jsonb has none of its own. Throws RangeError on text that is not JSON.
 */
export function writeJsonText(writer: BsonWriter, name: Name, text: string, style: JsonStyle): boolean {
  const start = writer.length;
  try {
    const reader = new SpellingReader(text, MOST_LEVELS);
    const value = reader.value();
    reader.finish();
    const areNumbersExact = writeJson(writer, name, value);
    return areNumbersExact && value !== null && reader.isUsual && (style === "jsonb" || !reader.hasBlanks);
  } catch (error) {
    if (!(error instanceof TooDeep || error instanceof UnwritableText)) throw error;
    // Nothing behind the place where it became too deep was looked at yet.
    if (error instanceof TooDeep) mustBeJson(text);
    writer.rewind(start);
    writer.stringField(name, text);
    return false;
  }
}

/** JSON.parse follows any depth. Throws RangeError, without the text. */
function mustBeJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new RangeError("not JSON");
  }
}

/** Reads JSON and says whether printing what was read could give another text, its numbers left aside. */
class SpellingReader extends JsonReader {
  /** Blanks between the parts. */
  hasBlanks = false;
  /** No string has an escape that it does not need, and no name came twice. */
  isUsual = true;

  protected override sawBlank(): void {
    this.hasBlanks = true;
  }

  protected override sawEscapes(content: string, start: number): void {
    if (quoted(content) !== this.text.slice(start, this.end)) this.isUsual = false;
  }

  protected override sawRepeatedName(): void {
    this.isUsual = false;
  }
}
