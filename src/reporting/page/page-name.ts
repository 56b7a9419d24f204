import { shortened } from "../text/text-width.ts";
import { html, type Markup } from "./markup.ts";

/** Longer than any name, id or sentence that a person would read. */
const LONGEST = 1_000;

/** A text out of the data as far as a page shows it. */
export function shown(text: string): string {
  return shortened(text, LONGEST);
}

/** A name out of the data: in the direction of its own letters, whatever stands around it. */
export function name(text: string): Markup {
  return html`<bdi>${shown(text)}</bdi>`;
}

/** A collection under the name it has in the source, and in the target where that differs. */
export function names(source: string, target: string): Markup {
  return source === target ? name(source) : html`${name(source)} → ${name(target)}`;
}
