import { type ComparedNumber, comparedTotals } from "./compared-totals.ts";
import { grouped } from "./format.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { names } from "./page-name.ts";
import { type PageColumn, pageTable } from "./page-table.ts";
import { NO_NUMBER } from "./plan-text.ts";
import type { ComparedCollection, ComparedVerdict } from "./reporter.ts";
import { TIER_WORDS } from "./tier-words.ts";

type NumberColumn = readonly [heading: string, field: ComparedNumber];

const ALWAYS: readonly NumberColumn[] = [
  ["in the source", "sourceDocuments"],
  ["in the target", "targetDocuments"],
  ["equal", "equal"],
  ["only in source", "missing"],
  ["only in target", "extra"],
  ["differ", "changed"],
  ["metadata", "metadata"],
];
const WHEN_ANY: readonly NumberColumn[] = [
  ["moving", "moving"],
  ["settled", "settled"],
  ["expired", "expired"],
  ["accepted", "accepted"],
  ["behind", "behind"],
  ["diverged", "diverged"],
];

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
  const sums = comparedTotals(collections);
  const numbers = [...ALWAYS, ...WHEN_ANY.filter(([, field]) => sums[field] !== 0)];
  const ways = collections.some((of) => of.tier !== collections[0]?.tier);
  const columns: PageColumn[] = [
    { heading: "collection", align: "left" },
    ...numbers.map(([heading]): PageColumn => ({ heading, align: "right" })),
    ...(ways ? [{ heading: "how", align: "word" } as const] : []),
    { heading: "verdict", align: "word" },
  ];
  const rows = collections.map((of): Content[] => [
    names(of.collection, of.target),
    ...numbers.map(([, field]) => number(of, field)),
    ...(ways ? [of.verdict === "not compared" ? NO_NUMBER : TIER_WORDS[of.tier].word] : []),
    verdict(of.verdict),
  ]);
  const total = ["total", ...numbers.map(([, field]) => grouped(sums[field])), ...(ways ? [""] : []), ""];
  return pageTable(
    "Numbers of documents; under metadata, of options, indexes and the like",
    columns,
    rows,
    total,
  );
}

function number(of: ComparedCollection, field: ComparedNumber): string {
  if (!ALWAYS.some(([, always]) => always === field)) return of[field] === 0 ? "" : grouped(of[field]);
  return of.kind === "view" && of[field] === 0 && field !== "metadata" ? NO_NUMBER : grouped(of[field]);
}

function verdict(of: ComparedVerdict): Markup {
  const [tone, sign] = SIGNS[of];
  return html`<span class="${tone}">${sign} ${of}</span>`;
}
