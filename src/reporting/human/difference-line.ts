import type { ChalkInstance } from "chalk";
import type { Difference, Sigil } from "../../model/reporter.ts";
import { fieldText, marks, shownKey, whatDiffers } from "../text/difference-words.ts";
import { grouped } from "../text/format.ts";

/** Fields that a line names; the others are counted. */
const SHOWN_FIELDS = 3;

export interface LineStyle {
  readonly paint: ChalkInstance;
  /** Every field there is. */
  readonly allFields: boolean;
}

/**
 * A difference on one line, for example "* orders/17  /total int → long (and 3 more)  behind". Begins with the sigil
 * and a blank; parts are two blanks apart. Expects cleaned text.
 */
export function differenceLine(difference: Difference, style: LineStyle): string {
  const { paint } = style;
  const key = shownKey(difference.key);
  const parts = [...what(difference, style), ...marks(difference).map((mark) => paint.dim(mark))];
  const about = difference.id === undefined && difference.kind === "metadata" ? `${key}: ` : `${key}  `;
  return `${sigilPaint(difference.sigil, paint)(difference.sigil)} ${about}${parts.join("  ")}`;
}

function what(difference: Difference, { allFields }: LineStyle): string[] {
  const { kind, detail, fields, moreFields } = difference;
  const shown = allFields ? fields : fields.slice(0, SHOWN_FIELDS);
  const hidden = fields.length - shown.length + moreFields;
  const named = shown.map(fieldText).join(", ") + (hidden > 0 ? ` (and ${grouped(hidden)} more)` : "");
  if (shown.length === 0) return [whatDiffers(difference)];
  return kind === "changed" && detail === undefined ? [named] : [whatDiffers(difference), named];
}

export function sigilPaint(sigil: Sigil, paint: ChalkInstance): (text: string) => string {
  switch (sigil) {
    case "+":
      return paint.green;
    case "-":
      return paint.red;
    case "*":
      return paint.yellow;
    case "!":
      return paint.bold.red;
    case "=":
      return paint.dim;
  }
}
