import { JsonReader } from "../../../json/json-reader.ts";
import { quoted } from "./json-text.ts";

/** Reads JSON and says whether printing what was read could give another text, its numbers left aside. */
export class SpellingReader extends JsonReader {
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
