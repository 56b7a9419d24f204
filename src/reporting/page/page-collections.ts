import type { ComparedCollection, ComparedVerdict } from "../../model/reporter.ts";
import { NO_NUMBER } from "../human/text-style.ts";
import { ALWAYS_SHOWN, type ComparedNumber, comparedTable } from "../text/compared-totals.ts";
import { grouped } from "../text/format.ts";
import { html, type Markup, type MarkupContent } from "./markup.ts";
import { names } from "./page-name.ts";
import { type PageColumn, pageTable } from "./page-table.ts";

/** Headings of numbers; all others have their own names. */
const HEADINGS: { readonly [Field in ComparedNumber]?: string } = {
  sourceDocuments: "in the source",
  targetDocuments: "in the target",
  missing: "only in source",
  extra: "only in target",
  changed: "differ",
};

const SIGNS: { readonly [Each in ComparedVerdict]: readonly [tone: string, sign: string] } = {
  identical: ["good", "✓"],
  accepted: ["note", "✓"],
  different: ["note", "Δ"],
  moving: ["note", "~"],
  "not compared": ["bad", "?"],
};

/** A row for each collection and a total. */
export function collectionTable(collections: readonly ComparedCollection[]): Markup {
  if (collections.length === 0) return html`<p>There is no collection to compare.</p>\n`;
  const { numbers, hasWays, wayOf, total } = comparedTable(collections);
  const columns: PageColumn[] = [
    { heading: "collection", align: "left" },
    ...numbers.map((field): PageColumn => ({ heading: HEADINGS[field] ?? field, align: "right" })),
    ...(hasWays ? [{ heading: "how", align: "word" } as const] : []),
    { heading: "verdict", align: "word" },
  ];
  const rows = collections.map((of): MarkupContent[] => [
    names(of.collection, of.target),
    ...numbers.map((field) => number(of, field)),
    ...(hasWays ? [wayOf(of)] : []),
    verdict(of.verdict),
  ]);
  return pageTable(
    "Numbers of documents; under metadata, of options, indexes and so on",
    columns,
    rows,
    total,
  );
}

function number(of: ComparedCollection, field: ComparedNumber): string {
  if (!ALWAYS_SHOWN.includes(field)) return of[field] === 0 ? "" : grouped(of[field]);
  const none = of.complete ? of.kind === "definition" && field !== "metadata" : true;
  return none && of[field] === 0 ? NO_NUMBER : grouped(of[field]);
}

function verdict(of: ComparedVerdict): Markup {
  const [tone, sign] = SIGNS[of];
  return html`<span class="${tone}">${sign} ${of}</span>`;
}
