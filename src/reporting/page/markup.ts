/**
 * HTML that is safe to put together: whatever is not markup already is escaped.
 *
 * Written by hand: escape-html works on texts, so it can be forgotten; here the type decides.
 */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it must stand between tags or in a quoted attribute. The only place where text becomes markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Made by `html` alone, so that a text cannot pass for it. */
export class Markup {
  readonly text: string;

  constructor(parts: readonly string[], values: readonly MarkupContent[]) {
    this.text = parts.map((part, index) => part + contentText(values[index])).join("");
  }
}

/** What can stand in a template: text is escaped, lists are joined, undefined is nothing. */
export type MarkupContent = string | number | Markup | undefined | readonly MarkupContent[];

export function html(parts: TemplateStringsArray, ...values: readonly MarkupContent[]): Markup {
  return new Markup(parts, values);
}

function contentText(content: MarkupContent): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  return typeof content === "object" ? content.map(contentText).join("") : escaped(String(content));
}
