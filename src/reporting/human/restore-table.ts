import type { PlannedCollection, RestorePreview } from "../../model/reporter.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import { grouped } from "../text/format.ts";
import { briefRows, moreRows, othersName } from "./brief-rows.ts";
import { collectionName, NO_NUMBER, type TextStyle } from "./text-style.ts";

type CountOf = (found: RestorePreview, planned: PlannedCollection) => number;

interface CountColumn {
  readonly heading: string;
  readonly of: CountOf;
  /** Left out where it is 0 for all. */
  readonly rare?: true;
}

const COUNTS: readonly CountColumn[] = [
  { heading: "in the\ncopy", of: (_, { documents }) => documents ?? 0 },
  { heading: "in the\ntarget", of: (_, { targetDocuments }) => targetDocuments },
  { heading: "missing", of: ({ missing }) => missing },
  { heading: "differ", of: ({ different }) => different },
  { heading: "newer in\nthe target", of: ({ newer }) => newer, rare: true },
  { heading: "only in\nthe target", of: ({ extra }) => extra, rare: true },
  { heading: "will be\nwritten", of: ({ missing, overwritten }) => missing + overwritten },
  { heading: "of these\noverwritten", of: ({ overwritten }) => overwritten, rare: true },
  { heading: "will be\nremoved", of: ({ removed }) => removed, rare: true },
];

/** What a restore found of each collection, and would do with it. */
export function restoreTable(collections: readonly PlannedCollection[], style: TextStyle): string {
  const { width, paint } = style;
  const held = collections.filter(({ restore }) => restore !== undefined);
  const sum = (some: readonly PlannedCollection[], of: CountOf): number =>
    some.reduce((total, one) => total + (one.restore === undefined ? 0 : of(one.restore, one)), 0);
  const counts = COUNTS.filter(({ rare, of }) => rare !== true || sum(held, of) > 0);
  const columns: TableColumn[] = [
    { heading: "collection", align: "left", cut: true },
    ...counts.map(({ heading }): TableColumn => ({ heading, align: "right" })),
    { heading: "on the target", align: "left" },
  ];
  const isChanged = ({ restore, action }: PlannedCollection): boolean =>
    restore === undefined ? action === "define" : restore.missing + restore.different + restore.extra > 0;
  const brief = briefRows(collections, isChanged, style);
  const { shown, others } = brief;
  const rows: (Cell | string)[][] = shown.map((planned) => [
    collectionName(planned.source, planned.target),
    ...counts.map(({ of }) =>
      planned.restore === undefined ? NO_NUMBER : grouped(of(planned.restore, planned)),
    ),
    action(planned),
  ]);
  if (others.length > 0)
    rows.push([
      othersName(others, shown),
      ...counts.map(({ of }) => grouped(sum(others, of))),
      "as the copy",
    ]);
  const sums = counts.map(({ of }) => grouped(sum(collections, of)));
  rows.push(["total", ...sums, ""].map((text) => ({ text, paint: paint.bold })));
  return table(columns, rows, { width, heading: paint.dim }) + moreRows(brief, paint);
}

function action({ action, type, restore }: PlannedCollection): string {
  if (action === "define") return `define ${type}`;
  if (action !== "update") return action === "create" ? "created" : "empty now";
  const changes = restore !== undefined && restore.missing + restore.overwritten + restore.removed > 0;
  return changes ? "changed" : "left as it is";
}
