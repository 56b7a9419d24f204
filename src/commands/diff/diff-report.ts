import type { Pairs } from "../../core/compare/pairing/pairs.ts";
import { exitCode } from "../../model/errors.ts";
import type { ComparedCollection, DiffReport } from "../../model/reporter.ts";
import type { Redactor } from "../../redact/redact.ts";
import { diffPage } from "../../reporting/page/html.ts";
import { WholeFile } from "../../state/files/whole-file.ts";
import type { DiffOptions } from "./diff-options.ts";
import type { Compared } from "./diff-verdict.ts";
import { diffVerdict } from "./diff-verdict.ts";
import type { Remembered } from "./history.ts";

export function reportOf(
  options: DiffOptions,
  { left }: Pairs,
  compared: Compared,
  { memory }: Remembered,
): DiffReport {
  const { collections, findings, ranges, ended, since, exact, bytesRead } = compared;
  const complete = ended === undefined && collections.every(isCompared);
  const moving = collections.reduce((sum, collection) => sum + collection.moving, 0);
  const exit = findings.counted > 0 ? "different" : complete && moving === 0 ? "done" : "inconclusive";
  const now = new Date();
  return {
    command: "diff",
    source: options.from.label,
    target: options.to.label,
    started: since,
    ended: now,
    collections,
    complete,
    exact: exact && !collections.some(isInexact),
    ranges,
    bytesRead,
    notCompared: left,
    bytesCompared: compared.bytesCompared,
    past: memory.past,
    samples: findings.samples,
    differences: findings.counted,
    plan: options.plan?.name,
    exitCode: exitCode(exit),
    verdict: diffVerdict(options, compared, { complete, moving, ended: now }),
  };
}

function isCompared({ verdict, unreadable }: ComparedCollection): boolean {
  return verdict !== "not compared" && unreadable === 0;
}

/** Documents of it count as equal that are not equal byte for byte. */
function isInexact({ kind, verdict, anyFieldOrder }: ComparedCollection): boolean {
  return anyFieldOrder === true && kind !== "definition" && verdict !== "not compared";
}

/** Writes the page of a comparison, as a whole or not at all. */
export async function writeReport(path: string, report: DiffReport, redactor: Redactor): Promise<void> {
  const file = await WholeFile.create(path);
  try {
    await file.write(diffPage(report, redactor));
    await file.commit();
  } finally {
    await file.discard();
  }
}
