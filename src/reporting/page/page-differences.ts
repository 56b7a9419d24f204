import type { Difference, DiffReport, FieldDifference } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { fieldPath, marks, shownValue, whatDiffers } from "../text/difference-words.ts";
import { count, grouped } from "../text/format.ts";
import { html, type Markup } from "./markup.ts";
import { name } from "./page-name.ts";

/** More of them make a page that no phone opens. */
const SHOWN = 200;

const TONES = { "=": "good", "+": "good", "-": "bad", "*": "note", "!": "bad" } as const;

/** The first of the differences, each with the fields in which it differs. */
export function differenceSection({ samples, differences }: DiffReport): Markup | undefined {
  if (samples.length === 0) return undefined;
  const shown = samples.slice(0, SHOWN);
  const all = Math.max(differences, samples.length);
  const heading =
    all > shown.length ? `Differences: the first ${grouped(shown.length)} of ${grouped(all)}` : "Differences";
  return html`<section>
<h2>${heading}</h2>
<ul class="legend"><li><b class="good">+</b> only in the source</li><li><b class="bad">-</b> only in the target</li><li><b class="note">*</b> differs</li><li><b class="bad">!</b> not compared</li></ul>
${shown.map(article)}</section>
`;
}

function article(difference: Difference): Markup {
  const { key, sigil, fields, moreFields } = difference;
  const marked = marks(difference).map((mark) => html` <span class="mark">${mark}</span>`);
  const more =
    moreFields > 0 ? html`<p class="small">and ${count(moreFields, "field")} more</p>\n` : undefined;
  return html`<article>
<h3><b class="${TONES[sigil]}">${sigil}</b> ${name(key)}</h3>
<p>${name(words(difference))}${marked}</p>
${fields.length === 0 ? undefined : fieldTable(fields)}${more}</article>
`;
}

/** With both sizes, where there are two documents. */
function words(difference: Difference): string {
  const { kind, source, target } = difference;
  const both = (kind === "changed" || kind === "idtype") && source !== undefined && target !== undefined;
  const sizes = both ? ` (${bytes(source.bytes)} → ${bytes(target.bytes)})` : "";
  return `${whatDiffers(difference)}${sizes}`;
}

function fieldTable(fields: readonly FieldDifference[]): Markup {
  const rows = fields.map(
    (field) =>
      html`<tr><th scope="row">${path(field)}</th>${side(field.source, field.sourceValue)}${side(field.target, field.targetValue)}</tr>\n`,
  );
  return html`<table class="fields">
<thead><tr><th scope="col">field</th><th scope="col">source</th><th scope="col">target</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

function path(field: FieldDifference): Markup {
  const { note } = field;
  const where = fieldPath(field);
  const noted = note === undefined ? undefined : html` <span class="small">${name(note)}</span>`;
  return html`${where === "" ? undefined : name(where)}${noted}`;
}

function side(type: string | undefined, value: string | undefined): Markup {
  const shown = value === undefined ? undefined : html` <code>${name(shownValue(value))}</code>`;
  return html`<td>${type === undefined ? "absent" : name(type)}${shown}</td>`;
}
