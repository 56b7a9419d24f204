import { WholeFile } from "../state/whole-file.ts";
import type { DiffReport } from "../reporting/reporter.ts";
import type { RunContext } from "./command.ts";

/** Writes the page of a comparison, as a whole or not at all. */
export async function writeReport(path: string, report: DiffReport, context: RunContext): Promise<void> {
  const file = await WholeFile.create(path);
  try {
    await file.write(context.reporter.page(report));
    await file.commit();
  } finally {
    await file.discard();
  }
}
