import type { Redactor } from "../redact.ts";
import { diffPage } from "../reporting/html.ts";
import type { DiffReport } from "../reporting/reporter.ts";
import { WholeFile } from "../state/whole-file.ts";

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
