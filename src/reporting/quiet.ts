import { cleanText } from "./clean.ts";
import { type ReportingContext, silentMeter } from "./context.ts";
import { failureLine } from "./failure-text.ts";
import { outcome } from "./outcome.ts";
import type { Reporter } from "./reporter.ts";

/** For cron: success is silent; whatever wants attention is one line on stderr with its time. */
export function quiet({ stderr, redactor, command }: ReportingContext): Reporter {
  const clean = cleanText(redactor);
  const line = (text: string) => stderr.write(`${new Date().toISOString()} ${text}`);
  return {
    note() {},
    warn: (message) => line(`dualsync ${command}: warning: ${clean(message)}\n`),
    detail() {},
    plan() {},
    meter: () => silentMeter,
    finish: (report) => {
      if (report.exitCode !== 0) {
        line(
          `dualsync ${command}: exit ${report.exitCode} (${outcome(report.exitCode)}): ${clean(report.verdict)}\n`,
        );
      }
    },
    fail: (error, exitCode) => line(failureLine(command, error, exitCode, clean)),
    close() {},
  };
}
