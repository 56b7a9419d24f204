import { html, type Markup, type MarkupContent } from "./markup.ts";

export interface PageColumn {
  readonly heading: string;
  /** `word`: short, and never broken. */
  readonly align: "left" | "right" | "word";
}

/**
 * A table whose rows become cards on a narrow screen. The roles are said again, since browsers forget them where a table
 * is not laid out as one.
 */
export function pageTable(
  caption: string,
  columns: readonly PageColumn[],
  rows: readonly (readonly MarkupContent[])[],
  total?: readonly MarkupContent[],
): Markup {
  const headings = columns.map(
    ({ heading, align }) => html`<th scope="col" role="columnheader" class="${align}">${heading}</th>`,
  );
  const foot =
    total === undefined ? undefined : html`<tfoot role="rowgroup">\n${row(columns, total)}</tfoot>\n`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table role="table" class="cards">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${headings}</tr></thead>
<tbody role="rowgroup">
${rows.map((cells) => row(columns, cells))}</tbody>
${foot}</table>
</div>
`;
}

/** The first cell names its row. */
function row(columns: readonly PageColumn[], [first, ...rest]: readonly MarkupContent[]): Markup {
  const cells = rest.map((cell, index) => {
    const { heading = "", align = "left" } = columns[index + 1] ?? {};
    const empty = cell === "" ? " empty" : "";
    return html`<td role="cell" class="${align}${empty}" data-label="${heading}">${cell}</td>`;
  });
  return html`<tr role="row"><th scope="row" role="rowheader" class="left">${first}</th>${cells}</tr>\n`;
}
