import type { Transferred } from "../../core/copy/transfer.ts";
import type { VerifyMode } from "../../core/plan/verify-mode.ts";
import type { Losses } from "../../core/progress/losses.ts";
import type { Resumed } from "../../model/reporter.ts";
import { howEqual } from "../../reporting/text/field-order.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { minute } from "../../reporting/text/time-window.ts";

/** The one sentence at the end of a copy: what was done, how it was verified, what to run next. */
export function verdictOf(
  done: Transferred,
  losses: Losses,
  { verify, failed, resumed }: { verify: VerifyMode; failed: boolean; resumed: Resumed | undefined },
): string {
  if (failed)
    return "Verification failed: the target does not hold what the source holds. Run the same command again.";
  const sum = (pick: (report: Transferred["collections"][number]) => number): number =>
    done.collections.reduce((total, report) => total + pick(report), 0);
  const written = sum(({ written }) => written);
  const unchanged = sum(({ unchanged }) => unchanged);
  const equivalent = sum(({ equivalent }) => equivalent);
  const ofThem = equivalent === 0 ? "" : ` (${grouped(equivalent)} of them equivalent)`;
  const moved = `${count(written, "document")} written, ${count(unchanged, "document")} unchanged${ofThem}`;
  const verified = {
    content: `read back and equal ${howEqual("byte for byte", done.collections)}`,
    counts: "the counts agree; contents were not read back",
    none: "not verified",
  }[verify];
  const proof =
    resumed === undefined
      ? verified
      : `${verified} (partly in earlier runs, since ${minute(resumed.since)} UTC)`;
  if (losses.counted > 0) {
    const named =
      losses.counted === 1
        ? "1 thing could not be copied (named above)"
        : `${losses.counted} things could not be copied (named above)`;
    const rest = done.collections.length === 0 ? "nothing was copied" : `${moved}; the rest: ${proof}`;
    return `Finished, but ${named}: ${rest}. Accept a known loss with --accept KEY.`;
  }
  return `Done: ${moved}; ${proof}.`;
}
