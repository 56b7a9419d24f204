import type { Losses } from "../../core/progress/losses.ts";
import type { RunContext } from "../command.ts";

/** Perhaps it is mended by now, perhaps it was misspelt. */
export function noteUnused({ unusedAcceptances }: Losses, { reporter }: Pick<RunContext, "reporter">): void {
  for (const key of unusedAcceptances)
    reporter.note(`--accept ${JSON.stringify(key)} matches no loss of this run.`);
}
