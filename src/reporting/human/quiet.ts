import type { Reporter } from "../../model/reporter.ts";
import { type ReportingContext, silentMeter } from "../context.ts";
import { cleanText } from "../text/clean.ts";
import { outcome } from "../text/outcome.ts";
import { failureLine } from "./failure-text.ts";

/** For cron: success is silent; whatever needs attention is one line on stderr with its time. */
export function quiet({ stderr, redactor, command }: ReportingContext): Reporter {
  const clean = cleanText(redactor);
  const line = (text: string) => stderr.write(`${new Date().toISOString()} ${text}`);
  const ended = ({ exitCode, verdict }: { readonly exitCode: number; readonly verdict: string }): void => {
    if (exitCode !== 0)
      line(`dualsync ${command}: exit ${exitCode} (${outcome(exitCode)}): ${clean(verdict)}\n`);
  };
  return {
    note() {},
    warn: (message) => line(`dualsync ${command}: warning: ${clean(message)}\n`),
    detail() {},
    plan() {},
    meter: () => silentMeter,
    comparison() {},
    difference() {},
    changePlan() {},
    syncPlan() {},
    finish: ended,
    compared: ended,
    changed: ended,
    synced: ended,
    checked: ended,
    fail: (error, exitCode) => line(failureLine(command, error, exitCode, clean)),
    ready: async () => undefined,
    close() {},
  };
}
