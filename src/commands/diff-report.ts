import type { Pairs } from "../core/diff/pairs.ts";
import { exitCode } from "../errors.ts";
import type { Redactor } from "../redact.ts";
import { diffPage } from "../reporting/html.ts";
import type { ComparedCollection, DiffReport } from "../reporting/reporter.ts";
import { WholeFile } from "../state/whole-file.ts";
import type { Compared } from "./compared.ts";
import type { Remembered } from "./diff-memory.ts";
import type { DiffOptions } from "./diff-options.ts";
import { diffVerdict } from "./diff-verdict.ts";

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
    exact,
    ranges,
    bytesRead,
    notCompared: left,
    bytesCompared: compared.bytesCompared,
    past: memory.past,
    samples: findings.samples,
    differences: findings.counted,
    ...(options.plan === undefined ? {} : { plan: options.plan.name }),
    exitCode: exitCode(exit),
    verdict: diffVerdict(options, compared, { complete, moving, ended: now }),
  };
}

function isCompared({ verdict, unreadable }: ComparedCollection): boolean {
  return verdict !== "not compared" && unreadable === 0;
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
