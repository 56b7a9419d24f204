import { connectorOf } from "../../connectors/registry.ts";
import type { StoreWords } from "../../connectors/words.ts";
import type { ComparedCollection } from "../../model/reporter.ts";
import { howEqual } from "../../reporting/text/field-order.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { timeWindow } from "../../reporting/text/time-window.ts";
import { layingOut } from "../run/copy-layout.ts";
import type { DiffOptions } from "./diff-options.ts";
import type { Findings } from "./findings.ts";

/** What a comparison has come to. */
export interface Compared {
  readonly findings: Findings;
  readonly collections: readonly ComparedCollection[];
  readonly ranges: { readonly done: number; readonly total: number };
  /** The flag that ended it before its end; undefined when everything was compared. */
  readonly ended: string | undefined;
  /** When the first of the runs began that belong together. */
  readonly since: Date;
  readonly exact: boolean;
  /** Bytes of the documents that were compared, on both sides. */
  readonly bytesCompared: number;
  /** Bytes of documents received from both stores. */
  readonly bytesRead: number;
}

export interface Ending {
  readonly complete: boolean;
  readonly moving: number;
  readonly ended: Date;
}

/** The sentences at the end of a comparison: what was found, what was compared, when and how, what to run next. */
export function diffVerdict(options: DiffOptions, compared: Compared, ending: Ending): string {
  const parts = [
    finding(options, compared, ending),
    incomplete(compared, ending),
    scope(options, compared, ending),
    next(options, compared, ending),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function finding(
  options: DiffOptions,
  { collections, findings }: Compared,
  { complete, moving }: Ending,
): string {
  if (findings.counted > 0) {
    const kinds = [
      [sum(collections, "missing"), "only in the source"],
      [sum(collections, "extra"), "only in the target"],
      [sum(collections, "changed"), "changed"],
      [sum(collections, "metadata"), "of collections, options or indexes"],
    ] as const;
    const listed = kinds
      .filter(([number]) => number > 0)
      .map(([number, what]) => `${grouped(number)} ${what}`)
      .join(", ");
    return `Different: ${listed}.${sides(collections)}`;
  }
  if (!complete) return "Inconclusive: not everything was compared.";
  if (moving > 0) return `Inconclusive: ${keptChanging(moving)}`;
  return `Identical${exceptions(options, collections)}.${equivalents(options, collections)}`;
}

/** What is the same to a store of something else, and holds other bytes than a copy would. */
function equivalents(options: DiffOptions, collections: readonly ComparedCollection[]): string {
  const equivalent = sum(collections, "equivalent");
  if (equivalent === 0) return "";
  const are = equivalent === 1 ? "is" : "are";
  const words = wordsOf(options).mapped;
  const why = words === undefined ? "" : `: ${words.equivalents}`;
  return ` ${count(equivalent, "document")} of them ${are} equivalent, not equal byte for byte${why}.`;
}

/** What differs and does not count. */
function exceptions({ oneWay }: DiffOptions, collections: readonly ComparedCollection[]): string {
  const accepted = sum(collections, "accepted");
  const expired = sum(collections, "expired");
  const are = (number: number) => (number === 1 ? "is" : "are");
  const parts = [
    ...(accepted === 0
      ? []
      : [
          `${count(accepted, "difference")} that ${are(accepted)} ${oneWay ? "accepted or only in the target" : "accepted"}`,
        ]),
    ...(expired === 0 ? [] : [`${count(expired, "document")} that ${are(expired)} due to expire`]),
  ];
  return parts.length === 0 ? "" : ` except for ${parts.join(" and ")}`;
}

/** Which side changed, where the target's history shows it. */
function sides(collections: readonly ComparedCollection[]): string {
  const behind = sum(collections, "behind");
  const diverged = sum(collections, "diverged");
  if (behind + diverged === 0) return "";
  const parts = [
    ...(behind > 0 ? [`is behind in ${grouped(behind)}`] : []),
    ...(diverged > 0 ? [`has diverged in ${grouped(diverged)}`] : []),
  ];
  return ` Since it was last verified, the copy ${parts.join(" and ")}.`;
}

function incomplete({ collections, findings, ended }: Compared, { complete, moving }: Ending): string {
  const unreadable = sum(collections, "unreadable");
  const parts = [
    ...(ended === undefined ? [] : [`Stopped early (${ended}).`]),
    ...(unreadable === 0 ? [] : [`${count(unreadable, "item")} could not be compared (marked !).`]),
    ...(moving === 0 || (complete && findings.counted === 0) ? [] : [keptChanging(moving)]),
  ];
  if (findings.counted > 0 && (ended !== undefined || unreadable > 0))
    parts.push("The comparison is incomplete.");
  return parts.join(" ");
}

function keptChanging(moving: number): string {
  return `${count(moving, "document")} kept changing during the comparison.`;
}

function scope(options: DiffOptions, { collections, since, exact }: Compared, { ended }: Ending): string {
  const documents = sum(collections, "sourceDocuments");
  const compared = collections.filter(
    ({ complete, sourceDocuments, targetDocuments }) => complete || sourceDocuments + targetDocuments > 0,
  );
  const content = wordsOf(options).comparedBy;
  const how = exact ? howEqual(content, collections) : "ignoring the order of fields";
  const mapped = wordsOf(options).mapped !== undefined;
  const left = [
    ...(options.selective ? ["--include, --exclude and --filter leave out"] : []),
    ...(options.indexes || mapped ? [] : ["indexes"]),
  ];
  const without =
    left.length === 0 ? "" : `, without ${left.join(" and ").replace("--include", "what --include")}`;
  const settled = sum(collections, "settled");
  const calm =
    settled === 0 ? "" : ` ${count(settled, "document")} differed at first and agreed when read again.`;
  const metadata = options.indexes ? " with their options and indexes" : " with their options";
  return `Compared: ${count(documents, "document")} in ${count(compared.length, "collection")}${mapped ? "" : metadata}, ${how}${without}, from ${timeWindow(since, ended)}.${calm}`;
}

/** Those of the side whose documents are made from something else, if there is one: then there are no options to compare. */
function wordsOf({ from, to }: DiffOptions): StoreWords {
  const [source, target] = [connectorOf(from).words, connectorOf(to).words];
  return source.mapped === undefined && target.mapped !== undefined ? target : source;
}

function copying({ from }: DiffOptions): string {
  return connectorOf(from).primary?.copiedBy ?? "duplicate";
}

/** What to do about differences, where no plan was written. */
function nextWithoutPlan(options: DiffOptions): string {
  const [from, to] = [connectorOf(options.from), connectorOf(options.to)];
  if (from.keepsAll === true && to.keepsAll === true) return "";
  if (to.keepsAll === true)
    return "Next: dualsync duplicate with the same --to writes a new archive; dualsync restore shows what this one would give back.";
  if (from.keepsAll === true)
    return "Next: dualsync restore with the same --from shows what the archive would give back.";
  const laying = layingOut(options)?.primary?.copiedBy;
  if (laying !== undefined)
    return `Next: dualsync ${laying} brings both sides together; --dry-run shows its plan.`;
  return `Next: dualsync diff --plan FILE writes a plan for dualsync repair; dualsync ${copying(options)} brings the whole copy up to date.`;
}

function next(options: DiffOptions, { findings, ended }: Compared, { moving }: Ending): string {
  if (ended === "--max-minutes") return "Run the same command again within a day to resume.";
  if (findings.counted > 0) {
    return options.plan === undefined
      ? nextWithoutPlan(options)
      : `Next: review ${options.plan.name}, then run dualsync repair ${options.plan.name}.`;
  }
  return moving > 0 ? "Run it again at a quieter time, or with a longer --settle." : "";
}

function sum(
  collections: readonly ComparedCollection[],
  field:
    | "equivalent"
    | "missing"
    | "extra"
    | "changed"
    | "metadata"
    | "unreadable"
    | "settled"
    | "expired"
    | "accepted"
    | "behind"
    | "diverged"
    | "sourceDocuments",
): number {
  return collections.reduce((total, collection) => total + collection[field], 0);
}
